// The structure of a JPEG file (ITU-T T.81): segments after markers ff xx, coded data after each start of scan (da), to
// the end of the image (d9). The walk sees every segment that the decoder will see. See image_format.h.
#include <fmt/format.h>

#include <tandem/data/image_format.h>

namespace tandem {

namespace {

// A scan costs a pass over the whole image, however small it is in the file; cameras and encoders write at most 11.
constexpr int kMostScans = 100;

bool is_restart(std::uint32_t marker) { return marker >= 0xd0 && marker <= 0xd7; }
bool is_frame(std::uint32_t marker) {
  return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

class Walk {
 public:
  Walk(const ImageBytes& file, const ImageLimits& limits) : file_(file), limits_(limits) {}

  ImageHeader run() {
    for (std::uint32_t marker = next_marker(); marker != 0xd9; marker = next_marker()) read_segment(marker);
    if (scans_ == 0) file_.damaged("a frame and a scan", "none before the end of the image");
    if (components_ == 4 && adobe_ != 0 && adobe_ != 2)
      file_.not_read("four colours with Adobe's marker, which says what they mean", "none");
    return header_;
  }

 private:
  // The marker at or after at_, behind which at_ then stands; ff may be repeated, and other bytes may come before it.
  std::uint32_t next_marker() {
    at_ = file_.find_ff(at_);
    while (at_ < file_.size() && file_.byte(at_) == 0xff) ++at_;
    if (at_ >= file_.size()) file_.truncated("the end of the image (ff d9)");
    return file_.byte(at_++);
  }

  void read_segment(std::uint32_t marker) {
    if (marker < 0xc0 || is_restart(marker) || marker == 0xd8)
      file_.damaged("a segment", fmt::format("marker ff {:02x} at byte {}", marker, at_ - 2));
    const std::size_t length = file_.big16(at_);
    if (length < 2) file_.damaged("a segment of at least 2 bytes", fmt::format("{} at byte {}", length, at_));
    file_.require(at_, length, "a segment");
    const std::size_t begin = at_ + 2;
    at_ += length;
    if (is_frame(marker)) {
      read_frame(marker, begin);
    } else if (marker == 0xc4) {
      check_codes(begin);
    } else if (marker == 0xda) {
      begin_scan();
    } else if (marker == 0xee && length >= 14 && file_.text(begin, 6) == std::string_view("Adobe\0", 6)) {
      adobe_ = file_.byte(begin + 11);
    } else if (marker == 0xcc) {
      file_.not_read("Huffman coding", "arithmetic coding");
    }
  }

  void read_frame(std::uint32_t marker, std::size_t begin) {
    if (marker > 0xc2)
      file_.not_read("a baseline or progressive JPEG (frame c0, c1 or c2)", fmt::format("frame {:02x}", marker));
    if (components_ != 0) file_.damaged("one frame", "two");
    if (const int bits = file_.byte(begin); bits != 8) file_.not_read("8 bits a value", fmt::format("{}", bits));
    header_ = {ImageKind::jpeg, file_.big16(begin + 1), file_.big16(begin + 3), false};
    file_.check_size(header_.height, header_.width, limits_);
    components_ = file_.byte(begin + 5);
    if (components_ != 1 && components_ != 3 && components_ != 4)
      file_.not_read("1, 3 or 4 colours", fmt::format("{}", components_));
  }

  // Huffman codes (annex C): at most 256, and none all ones. The decoder fills tables of that size from these counts.
  void check_codes(std::size_t at) const {
    while (at < at_) {
      std::uint32_t codes = 0, next = 0;
      for (std::uint32_t bits = 1; bits <= 16; ++bits) {
        const std::uint32_t count = file_.byte(at + bits);
        codes += count;
        next += count;
        if (codes > 256 || next >= (1U << bits))
          file_.damaged("Huffman codes that exist", fmt::format("too many of {} bits at byte {}", bits, at));
        next *= 2;
      }
      at += 17 + codes;
    }
    if (at != at_) file_.damaged("Huffman tables that fill their segment", fmt::format("an end at byte {}", at));
  }

  // Coded data end at the first marker; ff 00 in them is a byte ff, and restarts belong to them.
  void begin_scan() {
    if (components_ == 0) file_.damaged("a frame before its scans", "a scan");
    if (++scans_ > kMostScans) file_.damaged(fmt::format("at most {} scans", kMostScans), "more");
    std::size_t mark = at_;
    std::uint32_t marker = 0;
    while (marker == 0 || is_restart(marker)) {
      mark = file_.find_ff(at_);
      at_ = mark;
      marker = next_marker();
    }
    at_ = mark;
  }

  const ImageBytes& file_;
  const ImageLimits& limits_;
  ImageHeader header_;
  std::size_t at_ = 2;
  std::uint32_t components_ = 0;
  int scans_ = 0, adobe_ = -1;
};

}  // namespace

ImageHeader check_jpeg(const ImageBytes& file, const ImageLimits& limits) { return Walk(file, limits).run(); }

}  // namespace tandem
