// Ten thousand random corruptions of good image files: each ends with a picture or with an Error that names the file,
// and decoding never holds more memory than its limit. Crashes, leaks and undefined behaviour show under the asan
// preset; a hang by the timeout of ctest. Seeded: case i is the same every time.
#include <doctest/doctest.h>

#include <algorithm>

#include <data/image_files.h>
#include <tandem/core/generator.h>
#include <tandem/data/image_decoder.h>

using namespace tandem;
using namespace tandem::test;

namespace {

constexpr std::uint64_t kCases = 10000;
constexpr ImageLimits kLimits{.pixels = 1 << 20, .file_bytes = 1 << 20, .memory = std::int64_t{1} << 24};

std::size_t place_in(const std::string& bytes, Generator& generator) {
  return static_cast<std::size_t>(generator.below(static_cast<std::int64_t>(bytes.size())));
}

// A number as lengths, sizes and counts have it, at the ends of their ranges more often than in between.
std::string random_field(Generator& generator) {
  constexpr std::uint32_t kEnds[] = {0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0xffffffff};
  const std::uint32_t v =
      generator.below(2) == 0 ? kEnds[generator.below(std::size(kEnds))] : static_cast<std::uint32_t>(generator.bits());
  switch (generator.below(4)) {
    case 0:
      return big32(v);
    case 1:
      return little32(v);
    case 2:
      return big16(v & 0xffff);
    default:
      return std::string(1, static_cast<char>(v));
  }
}

void corrupt(std::string& bytes, const std::string& other, Generator& generator) {
  const std::size_t at = place_in(bytes, generator);
  switch (generator.below(7)) {
    case 0:  // bits
      for (std::int64_t n = 1 + generator.below(8); n > 0; --n)
        bytes[place_in(bytes, generator)] ^= static_cast<char>(1 << generator.below(8));
      break;
    case 1:  // a bit of the first bytes, where headers are
      bytes[at % std::min<std::size_t>(bytes.size(), 64)] ^= static_cast<char>(1 << generator.below(8));
      break;
    case 2:  // an end
      bytes.resize(std::max<std::size_t>(at, 1));
      break;
    case 3:  // a field
    case 4: {
      const std::string field = random_field(generator);
      const std::size_t count = std::min(field.size(), bytes.size() - at);
      bytes.replace(at, count, field, 0, count);
      break;
    }
    case 5:  // a part of another file
      bytes = bytes.substr(0, at) + other.substr(place_in(other, generator));
      break;
    default: {  // a part twice, or missing
      const std::string part = bytes.substr(at, static_cast<std::size_t>(1 + generator.below(40)));
      generator.below(2) == 0 ? bytes.insert(at, part) : bytes.erase(at, part.size());
      if (bytes.empty()) bytes = part;
    }
  }
}

// Makes the checksums of a PNG file right again, so that what lies behind them is reached.
void mend_checksums(std::string& png) {
  for (std::size_t at = 8; at + 12 <= png.size();) {
    std::uint32_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) length = length << 8 | static_cast<std::uint8_t>(png[at + i]);
    if (length > png.size() - at - 12) return;
    const std::string chunk = png_chunk(png.substr(at + 4, 4), png.substr(at + 8, length));
    png.replace(at, chunk.size(), chunk);
    at += chunk.size();
  }
}

struct Outcome {
  std::int64_t images = 0, errors = 0, peak = 0;
};

void read_corrupted(const std::string& bytes, Outcome& outcome) {
  std::int64_t peak = 0, limit = 0;
  try {
    const ImageHeader header = check_image(bytes, "fuzz.img", kLimits);
    DecodingMemory memory(memory_limit(header, static_cast<std::int64_t>(bytes.size()), kLimits));
    limit = memory.limit();
    try {
      const Pixels pixels = decode_pixels(bytes, "fuzz.img", header, memory);
      peak = memory.peak();
      ++outcome.images;
      CHECK(pixels.height * pixels.width <= kLimits.pixels);
      CHECK(pixels.bytes.size() == static_cast<std::size_t>(3 * pixels.height * pixels.width));
    } catch (...) {
      peak = memory.peak();
      throw;
    }
  } catch (const Error& error) {
    ++outcome.errors;
    CHECK(std::string(error.what()).starts_with("fuzz.img: "));
  }
  CHECK(peak <= limit);
  CHECK(limit <= kLimits.memory);
  outcome.peak = std::max(outcome.peak, peak);
}

}  // namespace

TEST_CASE("ten thousand corrupted files end with a picture or an error, in bounded memory") {
  std::vector<std::string> files;
  for (const std::string& name : golden_images()) files.push_back(read_file(golden_image(name)));
  const auto any_file = [&](Generator& generator) -> const std::string& {
    return files[static_cast<std::size_t>(generator.below(static_cast<std::int64_t>(files.size())))];
  };
  Outcome outcome;
  for (std::uint64_t i = 0; i < kCases; ++i) {
    CAPTURE(i);
    Generator generator = Generator(2024).split(i);
    std::string bytes = any_file(generator);
    for (std::int64_t n = 1 + generator.below(3); n > 0; --n) corrupt(bytes, any_file(generator), generator);
    if (bytes.starts_with("\x89PNG") && generator.below(4) != 0) mend_checksums(bytes);
    if (bytes.starts_with("\xff\xd8") && generator.below(2) == 0) bytes += "\xff\xd9";
    read_corrupted(bytes, outcome);
  }
  MESSAGE(outcome.images << " pictures, " << outcome.errors << " errors, at most " << outcome.peak
                         << " bytes held by a decoding");
  CHECK(outcome.images + outcome.errors == static_cast<std::int64_t>(kCases));
  CHECK(outcome.images > 500);  // else the corruptions never get as far as a decoder
  CHECK(outcome.errors > 5000);
}
