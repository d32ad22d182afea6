// Transforms as text: what is read, what comes back, and the column of what is wrong.
#include <doctest/doctest.h>

#include <string>

#include <data/small_sets.h>
#include <tandem/core/error.h>
#include <tandem/data/transform_text.h>

using namespace tandem;
using tandem::test::counting_set;

namespace {

const Dataset& eight() {
  static const Dataset set = counting_set(4);  // 3x8x8
  return set;
}

std::string read(const std::string& text) { return parse_transform(text, eight()).describe(); }

std::string error_of(const std::string& text) {
  try {
    parse_transform(text, eight());
  } catch (const UsageError& error) {
    return error.what();
  } catch (const Error& error) {
    return std::string("not usage: ") + error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("every step is read, with its defaults from the set") {
  CHECK(read("none") == "none");
  CHECK(read("random_crop") == "random_crop(8x8, padding=0)");
  CHECK(read("random_crop(padding=4)|random_flip") == "random_crop(8x8, padding=4) | random_flip(0.5)");
  CHECK(read(" random_crop ( size = 4x6 , padding = 1 ) ") == "random_crop(4x6, padding=1)");
  CHECK(read("centre_crop(4)") == "centre_crop(4x4)");
  CHECK(read("random_flip(0.25) | cutout(size=3) | to_unit") == "random_flip(0.25) | cutout(3) | to_unit");
  CHECK(read("cutout()") == "cutout(16)");
  CHECK(read("normalize") == normalize(eight().statistics).describe());
  CHECK(read("normalize(mean=0.5/0.25/0, deviation=1/2/1e-1)") ==
        "normalize(mean=0.5000/0.2500/0.0000, deviation=1.0000/2.0000/0.1000)");
  CHECK(read("none | random_flip") == "random_flip(0.5)");
}

TEST_CASE("what a transform describes itself as is read back") {
  const Transform transform = random_crop({.size = {6, 4}, .padding = 2}) | random_flip({.probability = 0.125}) |
                              cutout({.size = 3}) | centre_crop({.size = 2}) |
                              normalize({.mean = {0.5, 0.25, 0.125}, .deviation = {1, 0.5, 0.25}});
  CHECK(read(transform.describe()) == transform.describe());
}

TEST_CASE("errors name the column and what to do") {
  CHECK(error_of("flip | normalize") ==
        "transform: unknown step \"flip\" at column 1: in \"flip | normalize\"; known: " + [] {
          std::string all;
          for (const std::string& name : transform_names()) all += (all.empty() ? "" : ", ") + name;
          return all;
        }());
  CHECK(error_of("to_unit | cutuot") ==
        "transform: unknown step \"cutuot\" at column 11: in \"to_unit | cutuot\"; did you mean cutout?");
  CHECK(error_of("") ==
        "transform: the text is empty at column 1: in \"\"; e.g. \"random_flip | normalize\", or \"none\"");
  CHECK(error_of("random_crop(paddin=4)") ==
        "transform: unknown option \"paddin\" of random_crop at column 13: in \"random_crop(paddin=4)\"; did you mean "
        "padding?");
  CHECK(
      error_of("random_crop(8, 4)") ==
      "transform: expected an argument of random_crop like option=value at column 16: in \"random_crop(8, 4)\"; known: "
      "size, padding");
  CHECK(error_of("to_unit(1)") ==
        "transform: expected an argument of to_unit like option=value at column 9: in \"to_unit(1)\"; it takes none");
  CHECK(error_of("none(1)").find("it takes none") != std::string::npos);
  CHECK(error_of("cutout(size=8, size=9)") ==
        "transform: size of cutout is given twice at column 16: in \"cutout(size=8, size=9)\"");
  CHECK(error_of("cutout(8, size=9)").find("is given twice at column 11") != std::string::npos);
  CHECK(error_of("cutout(size=big)") ==
        "transform: size of cutout must be a whole number, found \"big\" at column 8: in \"cutout(size=big)\"");
  CHECK(error_of("random_crop(3x)").find("must be a size like 32 or 24x32, found \"3x\"") != std::string::npos);
  CHECK(error_of("normalize(mean=0/x/1)").find("must be numbers like 0.5/0.4/0.5") != std::string::npos);
  CHECK(error_of("random_flip(often)").find("probability of random_flip must be a number") != std::string::npos);
  CHECK(error_of("cutout(8") == "transform: expected \")\", found end of text at column 9: in \"cutout(8\"");
  CHECK(error_of("cutout(size=)").find("expected a value, found \")\" at column 13") != std::string::npos);
  CHECK(error_of("cutout |") == "transform: expected a step, found end of text at column 9: in \"cutout |\"");
  CHECK(error_of("cutout normalize") ==
        "transform: unexpected \"n\" at column 8: in \"cutout normalize\"; steps are joined by |");
  CHECK(
      error_of("random_crop(9)") ==
      "not usage: random_crop: the window is larger than the image with its padding: image 8x8, padding 0, window 9x9");
}

TEST_CASE("a step of one's own is registered and read with its arguments") {
  register_transform("darker", [](StepArguments& arguments, const Dataset& set) {
    const double by = arguments.number("by", 0.5);
    const std::string how = arguments.word("how", "all");
    CHECK(set.size() == 4);
    return custom("darker " + how, [by](Picture& picture, Generator&) {
      float* v = picture.mutable_pixels<float>();
      for (std::int64_t i = 0; i < picture.format().count(); ++i) v[i] *= static_cast<float>(by);
    });
  });
  CHECK(read("to_unit | darker(by=0.25, how=half)") == "to_unit | custom(darker half)");
  CHECK(error_of("darker(of=1)").find("unknown option \"of\" of darker") != std::string::npos);
  const StepMaker maker = [](StepArguments&, const Dataset&) { return Transform(); };
  CHECK_THROWS_WITH_AS(register_transform("cutout", maker), "register_transform: \"cutout\": the name is taken", Error);
  CHECK_THROWS_AS(register_transform("none", maker), Error);
  CHECK_THROWS_AS(register_transform("a b", maker), Error);
  CHECK_THROWS_AS(register_transform("nothing", {}), Error);
}
