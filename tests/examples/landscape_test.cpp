// `landscape`: planes through weights, projections, directions, surfaces and walks, against closed forms. The program
// as users run it: landscape_program_test.cpp.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

#include <tandem/autograd/ops.h>
#include <tandem/core/error.h>
#include <tandem/core/io/file.h>
#include <tandem/nn/flatten.h>
#include <tandem/nn/init.h>
#include <tandem/nn/linear.h>
#include <tandem/nn/sequential.h>
#include "core/temporary_folder.h"
#include "examples/landscape/hessian.h"
#include "examples/landscape/page.h"
#include "examples/landscape/plane.h"
#include "examples/landscape/plane_file.h"
#include "examples/landscape/survey.h"
#include "examples/landscape/walk.h"
#include "examples/landscape/weights.h"

using namespace tandem;
using namespace tandem::landscape;
using tandem::test::TemporaryFolder;

namespace {

std::string message(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

std::vector<float> random_point(std::size_t size, std::uint64_t seed) {
  Generator random(seed);
  std::vector<float> point(size);
  for (float& value : point) value = static_cast<float>(random.normal());
  return point;
}

/// 1/2 sum a_i (w_i - 1)^2 with a_i = 1 + i
double quadratic(const std::vector<double>& w) {
  double sum = 0;
  for (std::size_t i = 0; i < w.size(); ++i) sum += 0.5 * static_cast<double>(i + 1) * (w[i] - 1) * (w[i] - 1);
  return sum;
}

std::shared_ptr<nn::Sequential> small_model() {
  nn::seed(5);
  auto model = std::make_shared<nn::Sequential>();
  model->add(nn::layer<nn::Flatten>());
  model->add(nn::layer<nn::Linear>({.in = 12, .out = 3}));
  return model;
}

}  // namespace

TEST_CASE("three points: a right-angled plane in units of distance, in which they stand exactly") {
  const std::vector<float> a = {1, 2, 3, 4}, b = {4, 2, 7, 4}, c = {1, 4, 3, 4};  // |b - a| = 5, c at a right angle
  const Plane plane = plane_through(a, b, c);
  const Place pa = project(plane, a), pb = project(plane, b), pc = project(plane, c);
  CHECK(pa.x == 0);
  CHECK(pa.y == 0);
  CHECK(pb.x == doctest::Approx(5));
  CHECK(pb.y == doctest::Approx(0));
  CHECK(pc.x == doctest::Approx(0));
  CHECK(pc.y == doctest::Approx(2));
  for (const Place& p : {pa, pb, pc}) CHECK(p.distance < 1e-12);
  CHECK(plane.at(5, 0) == b);
  CHECK(plane.at(0, 2) == c);
  CHECK(project(plane, std::vector<float>{1, 2, 3, 7}).distance == doctest::Approx(3));
  CHECK(message([&] { plane_through(a, b, a); }) == "plane: the three points are on one line");
  CHECK(message([&] { line_through(a, a); }) == "plane: the two points are the same");
  CHECK(message([&] { line_through(a, std::vector<float>{1}); }).find("different models") != std::string::npos);
}

TEST_CASE("a path in a plane is projected exactly to rounding, also along directions at no right angle") {
  const std::size_t size = 1000;
  Plane plane{random_point(size, 1), {}, {}};
  for (const std::uint64_t seed : {2, 3}) {
    const std::vector<float> d = random_point(size, seed);
    (seed == 2 ? plane.first : plane.second).assign(d.begin(), d.end());
  }
  for (std::size_t i = 0; i < size; ++i) plane.second[i] += 0.7 * plane.first[i];
  std::vector<std::vector<float>> path;
  std::vector<Point> points;
  for (int t = 0; t < 20; ++t) path.push_back(plane.at(std::cos(t), 0.1 * t));
  for (int t = 0; t < 20; ++t) {
    const Place p = project(plane, path[static_cast<std::size_t>(t)]);
    CHECK(p.x == doctest::Approx(std::cos(t)).epsilon(1e-6));
    CHECK(p.y == doctest::Approx(0.1 * t).epsilon(1e-6));
    CHECK(p.distance < 1e-5);  // floats of size 1, a thousand of them
    points.emplace_back(path[static_cast<std::size_t>(t)]);
  }
  CHECK(explained(plane, points).total() == doctest::Approx(1).epsilon(1e-9));
  const Plane own = principal_plane(points);
  CHECK(explained(own, points).total() == doctest::Approx(1).epsilon(1e-9));
  for (const Point& p : points) CHECK(project(own, p).distance < 1e-4);
}

TEST_CASE("on a quadratic the contours of a plane are those of the formula") {
  const std::size_t size = 40;
  const std::vector<float> a = random_point(size, 1), b = random_point(size, 2), c = random_point(size, 3);
  const Plane plane = plane_through(a, b, c);
  // L(o + x u + y v) = L(o) + x g.u + y g.v + (x^2 uHu + 2 x y uHv + y^2 vHv) / 2
  double gu = 0, gv = 0, uu = 0, uv = 0, vv = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const double h = static_cast<double>(i + 1), u = plane.first[i], v = plane.second[i];
    gu += h * (a[i] - 1) * u, gv += h * (a[i] - 1) * v;
    uu += h * u * u, uv += h * u * v, vv += h * v * v;
  }
  const double at_origin = quadratic({a.begin(), a.end()});
  for (const double x : spaced(-3, 3, 7))
    for (const double y : spaced(-3, 3, 7)) {
      const std::vector<float> w = plane.at(x, y);
      const double formula = at_origin + x * gu + y * gv + 0.5 * (x * x * uu + 2 * x * y * uv + y * y * vv);
      CHECK(quadratic({w.begin(), w.end()}) == doctest::Approx(formula).epsilon(1e-6));
    }
}

TEST_CASE("principal directions: the axes in which points differ most, with their shares") {
  std::vector<std::vector<float>> data;
  for (const double angle : spaced(0, 6, 13))
    data.push_back({static_cast<float>(3 * std::cos(angle)), 5, static_cast<float>(std::sin(angle)), 0});
  std::vector<Point> points(data.begin(), data.end());
  const Plane plane = principal_plane(points);
  CHECK(std::fabs(plane.first[0]) > 0.99);
  CHECK(std::fabs(plane.second[2]) > 0.99);
  CHECK(plane.origin == data.back());
  const Shares shares = explained(plane, points);
  CHECK(shares.along[0] > 0.85);
  CHECK(shares.total() == doctest::Approx(1));
  const Place first = project(plane, data.front());
  CHECK(first.x >= 0);
  CHECK(first.y >= 0);
  CHECK(message([&] { principal_plane({points[0], points[1]}); }).find("at least 3") != std::string::npos);
  CHECK(message([&] { principal_plane({points[0], points[1], points[0]}); }) == "plane: the points are on one line");
}

TEST_CASE("random directions have, row by row, the lengths of the model's filters") {
  const auto model = small_model();
  const Plane plane = random_plane(*model, 3);
  const std::vector<float> w = weights_of(*model).values;
  REQUIRE(w.size() == 39);
  for (const auto* direction : {&plane.first, &plane.second}) {
    for (std::size_t row = 0; row < 3; ++row) {
      double own = 0, drawn = 0;
      for (std::size_t i = 12 * row; i < 12 * (row + 1); ++i)
        own += static_cast<double>(w[i]) * w[i], drawn += (*direction)[i] * (*direction)[i];
      CHECK(drawn == doctest::Approx(own));
    }
    for (std::size_t bias = 36; bias < 39; ++bias) CHECK((*direction)[bias] == 0);
  }
  CHECK(random_plane(*model, 3).first == plane.first);
  CHECK(random_plane(*model, 4).first != plane.first);
  CHECK(plane.first != plane.second);
}

TEST_CASE("eigenvectors of the Hessian: the loss curves along them as the eigenvalues say") {
  const auto model = small_model();
  Array x = Array::empty({30, 3, 2, 2}), labels = Array::empty({30}, DType::i64);
  Generator random(2);
  random.fill_normal(x);
  for (std::int64_t i = 0; i < 30; ++i) labels.set({i}, static_cast<double>(i % 3));
  const auto part = [&](std::int64_t begin, std::int64_t end) {
    return Batch{x.slice(0, begin, end), labels.slice(0, begin, end)};
  };
  const HessianPlane found = hessian_plane(*model, {part(0, 20), part(20, 30)}, 39, 1);
  CHECK(found.value[0] > found.value[1]);
  CHECK(found.value[1] > 0);
  const auto loss = [&](double a, double b) {
    put_values(*model, found.plane.at(a, b));
    return cross_entropy((*model)(x), labels).item();
  };
  const double h = 0.1;
  CHECK((loss(h, 0) - 2 * loss(0, 0) + loss(-h, 0)) / (h * h) == doctest::Approx(found.value[0]).epsilon(0.02));
  CHECK((loss(0, h) - 2 * loss(0, 0) + loss(0, -h)) / (h * h) == doctest::Approx(found.value[1]).epsilon(0.02));
  double length = 0;
  for (const double value : found.plane.second) length += value * value;
  CHECK(length == doctest::Approx(1).epsilon(1e-3));
}

TEST_CASE("gradients of the surfaces, and minima where they are said to be") {
  for (const Surface& f : surfaces()) {
    CAPTURE(f.name);
    for (const Spot& at : {f.start, Spot{0.3, -0.7}, Spot{f.high.x, f.low.y}}) {
      Tensor w(Array::from({at.x, at.y}, {2}, DType::f64), true);
      const Tensor loss = f.loss(w[0], w[1]);
      loss.backward();
      CHECK(loss.item() == doctest::Approx(f.value(at.x, at.y)));
      const double h = 1e-5;
      CHECK(w.grad().at({0}) ==
            doctest::Approx((f.value(at.x + h, at.y) - f.value(at.x - h, at.y)) / (2 * h)).epsilon(1e-5));
      CHECK(w.grad().at({1}) ==
            doctest::Approx((f.value(at.x, at.y + h) - f.value(at.x, at.y - h)) / (2 * h)).epsilon(1e-5));
    }
    for (const Spot& m : f.minima)
      for (const double dx : {-0.01, 0.0, 0.01})
        for (const double dy : {-0.01, 0.0, 0.01}) CHECK(f.value(m.x + dx, m.y + dy) >= f.value(m.x, m.y) - 1e-9);
  }
  CHECK(message([] { find_surface("ravin"); }).find("did you mean \"ravine\"") != std::string::npos);
}

TEST_CASE("walks are those of the formulas: too small, right and too large an lr, and Lookahead round the last") {
  const Surface& f = find_surface("ravine");  // curvatures 1 and 50
  const double lr = 0.0405;
  const Walk sgd = walk(f, "sgd(lr=0.0405)", f.start, 40);
  REQUIRE(sgd.points.size() == 41);
  for (std::size_t t = 0; t <= 40; ++t) {
    CHECK(sgd.points[t].x == doctest::Approx(f.start.x * std::pow(1 - lr, t)));
    CHECK(sgd.points[t].y == doctest::Approx(f.start.y * std::pow(1 - 50 * lr, t)));
  }
  CHECK(std::fabs(sgd.points[40].y) > std::fabs(f.start.y));
  const Walk slow = walk(f, "lookahead(sgd(lr=0.0405), k=5, alpha=0.5)", f.start, 40);
  REQUIRE(slow.points.size() == 41 + 8);  // a sync has two points
  CHECK(slow.points[5].is_before_pull);
  CHECK(slow.points[5].y == doctest::Approx(f.start.y * std::pow(1 - 50 * lr, 5)));
  CHECK(slow.points[6].y == doctest::Approx(0.5 * (f.start.y + slow.points[5].y)));
  CHECK(slow.end.y == doctest::Approx(f.start.y * std::pow(0.5 + 0.5 * std::pow(1 - 50 * lr, 5), 8)));
  CHECK(slow.end_loss < 0.1 * sgd.end_loss + 1);
  CHECK(slow.distance == doctest::Approx(std::hypot(slow.end.x, slow.end.y)));
  const Walk far = walk(f, "sgd(lr=1)", f.start, 1000);
  CHECK(far.diverged);
  CHECK(far.points.size() < 12);
}

TEST_CASE("levels rise, and contours of a bowl are its formula on the grid") {
  const std::vector<double> levels = levels_of({0, 1, 4, 9, 16, INFINITY, NAN}, 5, true);
  CHECK(levels.size() == 5);
  CHECK(std::is_sorted(levels.begin(), levels.end()));
  CHECK(levels.front() > 0);
  CHECK(levels_of({2, 2}, 5, true).empty());
  const std::string page = walk_page({{&find_surface("bowl"), {1, 1}, {}}}, "command");
  const std::size_t at = page.find("\"cells\":[");
  REQUIRE(at != std::string::npos);
  const nlohmann::json cells = nlohmann::json::parse(page.substr(at + 8, page.find(']', at) - at - 7));
  const std::vector<double> x = spaced(-5, 5, 101), y = spaced(-3, 3, 101);
  REQUIRE(cells.size() == x.size() * y.size());
  for (std::size_t i = 0; i < cells.size(); i += 97) {
    const double a = x[i % 101], b = y[i / 101];
    CHECK(cells[i].get<double>() == doctest::Approx((a * a + 4 * b * b) / 2).epsilon(1e-5));
  }
}

TEST_CASE("a survey and its plane read back the same; torn and foreign lines of results are dropped") {
  const TemporaryFolder folder;
  Survey s;
  s.kind = "through", s.title = "t \"q\"", s.model = "m", s.part = "test", s.x = {0, 0.1, 1}, s.y = {-1, 2};
  s.paths.push_back({"p", {{"a", 3, true, {1, 2, 3}, {}}, {"b", -1, false, {}, {}}}, 2, {{0.5, 0.25}}});
  s.marks.push_back({"m", "star", 1, 2});
  s.grid.assign(6, {});
  write_survey(folder.path(), s);
  write_file(folder / "measured-0.csv", "0,0.5,0.25\n7,inf,0.1\n99,1,1\nx,1,1\n2,nan,0\n3,1");
  write_file(folder / "measured-1.csv", "1,2,1\n");
  Survey back = read_survey(folder.path());
  CHECK(back.open_tasks().size() == 8);
  gather_results(folder.path(), back);
  CHECK(back.open_tasks() == std::vector<std::size_t>{3, 4, 5, 6});
  CHECK(std::isinf(back.result(7).loss));
  CHECK(std::isnan(back.result(2).loss));
  CHECK(back.result(2).accuracy == 0);
  CHECK(back.paths[0].points[0].measured.accuracy == 0.25);
  CHECK(back.paths[0].points[0].is_before_pull);
  CHECK(back.paths[0].shares.along[1] == 0.25);
  CHECK(back.x == s.x);
  CHECK_FALSE(std::filesystem::exists(folder / "measured-0.csv"));
  Survey again = read_survey(folder.path());
  gather_results(folder.path(), again);
  CHECK(again.open_tasks() == back.open_tasks());

  const auto model = small_model();
  PlaneFile file{random_plane(*model, 1), {{"n", Array::from({7}, {1}, DType::i64)}}, {weights_of(*model)}};
  save_plane(folder.path(), file);
  const PlaneFile read = load_plane(folder.path());
  CHECK(read.plane.origin == file.plane.origin);
  CHECK(read.plane.first == file.plane.first);
  CHECK(read.plane.second == file.plane.second);
  CHECK(read.points[0].values == file.points[0].values);
  CHECK(read.buffers[0].array.at({0}) == 7);
  CHECK(message([&] { put_values(*model, std::vector<float>(5)); }).find("5 numbers") != std::string::npos);
}
