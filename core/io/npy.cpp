// The .npy format: magic, version, a header that is a Python dict literal, then the data. See npy.h.
#include <tandem/core/io/npy.h>

#include <bit>
#include <cctype>
#include <cstring>
#include <limits>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/core/io/file.h>
#include <tandem/core/io/npy_bytes.h>

namespace tandem {

namespace {

static_assert(std::endian::native == std::endian::little, ".npy files are written little-endian");

constexpr std::string_view kMagic = "\x93NUMPY";

constexpr std::pair<DType, std::string_view> kTypes[] = {
    {DType::f32, "<f4"}, {DType::f64, "<f8"}, {DType::f16, "<f2"}, {DType::i64, "<i8"},
    {DType::i32, "<i4"}, {DType::i8, "|i1"},  {DType::u8, "|u1"},  {DType::boolean, "|b1"}};

/// Reads the header's dict: three keys in any order, values a string, a bool and a tuple of whole numbers.
class HeaderReader {
 public:
  HeaderReader(const std::string& where, std::string_view text) : where_(where), text_(text) {}

  void read() {
    expect('{');
    while (!accept('}')) {
      const std::string key = quoted();
      expect(':');
      if (key == "descr") {
        descr = quoted();
      } else if (key == "fortran_order") {
        fortran_order = boolean();
      } else if (key == "shape") {
        shape = tuple();
      } else {
        bad(fmt::format("unknown key \"{}\"", key));
      }
      ++keys_;
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    if (keys_ != 3 || descr.empty()) bad("descr, fortran_order and shape must stand there once each");
  }

  std::string descr;
  bool fortran_order = false;
  Shape shape;

 private:
  [[noreturn]] void bad(std::string_view what) const { fail(where_, "not an .npy header", what); }
  void skip() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }
  bool accept(char c) {
    skip();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) bad(fmt::format("'{}' expected at {}", c, at_));
  }
  std::string quoted() {
    expect('\'');
    const std::size_t end = text_.find('\'', at_);
    if (end == std::string_view::npos) bad("a string does not end");
    std::string word(text_.substr(at_, end - at_));
    at_ = end + 1;
    return word;
  }
  bool boolean() {
    skip();
    for (const auto& [word, value] : {std::pair<std::string_view, bool>{"True", true}, {"False", false}}) {
      if (text_.substr(at_, word.size()) == word) {
        at_ += word.size();
        return value;
      }
    }
    bad("True or False expected");
  }
  std::int64_t number() {
    skip();
    std::int64_t value = 0;
    const std::size_t begin = at_;
    while (at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_])) != 0) {
      if (value > std::numeric_limits<std::int64_t>::max() / 16) bad("a size is too large");
      value = value * 10 + (text_[at_++] - '0');
    }
    if (begin == at_) bad("a size is expected");
    if (at_ < text_.size() && text_[at_] == 'L') ++at_;  // of Python 2
    return value;
  }
  Shape tuple() {
    Shape sizes;
    expect('(');
    while (!accept(')')) {
      if (sizes.rank() == kMaxRank) bad(fmt::format("more than {} dims", kMaxRank));
      sizes.push_back(number());
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return sizes;
  }

  const std::string& where_;
  std::string_view text_;
  std::size_t at_ = 0;
  int keys_ = 0;
};

/// The bytes of an Array of this shape. Throws Error where its elements or they cannot be counted.
std::uint64_t bytes_of(const std::string& where, const Shape& shape, DType dtype) {
  const auto width = static_cast<std::int64_t>(size_of(dtype));
  try {
    const std::int64_t count = shape.count();
    if (count <= std::numeric_limits<std::int64_t>::max() / width) return static_cast<std::uint64_t>(count * width);
  } catch (const Error&) {
    // said below, with the name of the file
  }
  fail(where, "the shape overflows", fmt::format("{} of {}", shape.to_string(), name(dtype)));
}

}  // namespace

std::string npy_bytes(const std::string& where, const Array& x) {
  require_defined("save_npy", "array", x);
  std::string_view type;
  for (const auto& [ours, theirs] : kTypes)
    if (ours == x.dtype()) type = theirs;
  if (type.empty()) fail(where, fmt::format("NumPy has no {}", name(x.dtype())), {}, "convert with to(DType::f32)");
  std::string sizes;
  for (std::int64_t size : x.shape()) sizes += fmt::format("{}, ", size);
  if (x.rank() > 1) sizes.resize(sizes.size() - 2);
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", type,
                                   x.rank() == 1 ? sizes.substr(0, sizes.size() - 1) : sizes);
  const std::size_t before_data = kMagic.size() + 4 + header.size() + 1;
  header.append((64 - before_data % 64) % 64, ' ');
  header += '\n';
  std::string bytes(kMagic);
  bytes += {'\x01', '\x00', static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)};
  bytes += header;
  const Array plain = x.contiguous();
  bytes.append(reinterpret_cast<const char*>(plain.bytes()),
               static_cast<std::size_t>(plain.size()) * size_of(x.dtype()));
  return bytes;
}

Array npy_array(const std::string& where, std::string_view bytes) {
  if (bytes.substr(0, kMagic.size()) != kMagic || bytes.size() < 10) fail(where, "not an .npy file", "wrong magic");
  const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(bytes[i])); };
  const std::size_t major = byte(6), prefix = major == 1 ? 10 : 12;
  if (major < 1 || major > 3) fail(where, "unknown .npy version", fmt::format("{}.{}", major, byte(7)));
  if (bytes.size() < prefix) fail(where, "truncated", "the header is missing");
  std::size_t length = byte(8) | byte(9) << 8;
  if (major > 1) length |= byte(10) << 16 | byte(11) << 24;
  if (length > bytes.size() - prefix) {
    fail(where, "truncated", fmt::format("the header has {} bytes, the file {}", length, bytes.size()));
  }
  HeaderReader header(where, bytes.substr(prefix, length));
  header.read();
  const DType* dtype = nullptr;
  for (const auto& [ours, theirs] : kTypes)
    if (theirs == header.descr) dtype = &ours;
  if (dtype == nullptr) {
    fail(where, "dtype not known here", header.descr, "f2, f4, f8, i1, i4, i8, u1 and b1, little-endian, are read");
  }
  const std::string_view data = bytes.substr(prefix + length);
  if (bytes_of(where, header.shape, *dtype) != data.size()) {
    fail(where, "wrong size",
         fmt::format("shape {} of {} does not make the {} bytes found", header.shape.to_string(), name(*dtype),
                     data.size()));
  }
  Shape stored = header.shape;
  std::vector<int> reversed;
  if (header.fortran_order) {
    for (int d = 0; d < stored.rank(); ++d) {
      stored[d] = header.shape[-1 - d];
      reversed.push_back(stored.rank() - 1 - d);
    }
  }
  Array y = Array::empty(stored, *dtype);
  std::memcpy(y.bytes(), data.data(), data.size());
  if (*dtype == DType::boolean && !are_booleans(y.bytes(), data.size())) fail(where, "a bool is neither 0 nor 1");
  return header.fortran_order ? y.permute(reversed).contiguous() : y;
}

void save_npy(const std::filesystem::path& path, const Array& x) {
  write_file(path, npy_bytes("save_npy: " + path.string(), x));
}

Array load_npy(const std::filesystem::path& path) {
  return npy_array("load_npy: " + path.string(), read_file(path, std::uint64_t{1} << 36));
}

}  // namespace tandem
