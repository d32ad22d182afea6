// .npz: a zip (PKWARE APPNOTE 6.3) of .npy files. Entries are written stored; stored and deflated ones are read through
// zlib. numpy writes zip64 records for every entry, so those are read; what is written here stays below 4 GiB.
#include <zlib.h>

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/core/io/file.h>
#include <tandem/core/io/npy.h>
#include <tandem/core/io/npy_bytes.h>
#include <tandem/core/utf8.h>

namespace tandem {

namespace {

constexpr std::uint32_t kLocal = 0x04034b50, kCentral = 0x02014b50, kEnd = 0x06054b50;
constexpr std::uint32_t kEnd64 = 0x06064b50, kLocator64 = 0x07064b50;
constexpr std::size_t kLocalBytes = 30, kCentralBytes = 46, kEndBytes = 22, kLocator64Bytes = 20;
constexpr std::uint64_t kMost = 0xffffffff, kMostEntries = 0xffff;
constexpr std::uint64_t kNameIsUtf8 = 0x800;   // a flag; without it a name is in code page 437
constexpr std::uint64_t kMaxInflation = 1032;  // of deflate, so that a small file cannot ask for a large one

void put(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>((value >> (8 * i)) & 0xff);
}

std::uint32_t checksum_of(std::string_view bytes) {
  return static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<z_size_t>(bytes.size())));
}

/// What stands alike in the local and the central header: version, flags, method, time, date (1980-01-01), crc, sizes.
void put_common(std::string& out, std::string_view data) {
  put(out, 20, 2);
  put(out, kNameIsUtf8, 2);
  put(out, 0, 2);
  put(out, 0, 2);
  put(out, 0x21, 2);
  put(out, checksum_of(data), 4);
  put(out, data.size(), 4);
  put(out, data.size(), 4);
}

class ZipReader {
 public:
  ZipReader(std::string where, std::string_view bytes) : where_(std::move(where)), bytes_(bytes) {}

  NamedArrays read() const {
    const std::size_t end = find_end();
    std::uint64_t at = number(end + 16, 4), count = number(end + 10, 2);
    find_directory64(end, at, count);
    NamedArrays arrays;
    std::set<std::string> seen;
    for (std::uint64_t i = 0; i < count; ++i) {
      if (number(at, 4) != kCentral) fail(where_, "not an .npz file", "the directory of the zip is damaged");
      const std::uint64_t name_bytes = number(at + 28, 2), extra_bytes = number(at + 30, 2);
      std::string entry(text(at + kCentralBytes, name_bytes));
      Array array = read_entry(at, entry, text(at + kCentralBytes + name_bytes, extra_bytes));
      if (entry.ends_with(".npy")) entry.resize(entry.size() - 4);
      if (!is_utf8(entry)) fail(where_, "the name of an array is not UTF-8", entry);
      if (!seen.insert(entry).second) fail(where_, fmt::format("two arrays have the name \"{}\"", entry));
      arrays.push_back({entry, std::move(array)});
      at += kCentralBytes + name_bytes + extra_bytes + number(at + 32, 2);
    }
    return arrays;
  }

 private:
  std::string_view text(std::uint64_t at, std::uint64_t count) const {
    if (at > bytes_.size() || count > bytes_.size() - at) fail(where_, "truncated or damaged zip");
    return bytes_.substr(static_cast<std::size_t>(at), static_cast<std::size_t>(count));
  }

  std::uint64_t number(std::uint64_t at, unsigned count) const {
    const std::string_view raw = text(at, count);
    std::uint64_t value = 0;
    for (unsigned i = 0; i < count; ++i) value |= std::uint64_t{static_cast<unsigned char>(raw[i])} << (8 * i);
    return value;
  }

  std::size_t find_end() const {  // the end record stands last, before a comment of at most 65535 bytes
    if (bytes_.size() >= kEndBytes) {
      const std::size_t first = bytes_.size() - std::min<std::size_t>(bytes_.size(), kEndBytes + 65535);
      for (std::size_t at = bytes_.size() - kEndBytes + 1; at-- > first;) {
        if (number(at, 4) == kEnd && at + kEndBytes + number(at + 20, 2) == bytes_.size()) return at;
      }
    }
    fail(where_, "not an .npz file", "the end of a zip is missing");
  }

  /// A directory of 65,535 entries and more, or beyond 4 GiB, is said by a record before the end.
  void find_directory64(std::size_t end, std::uint64_t& directory, std::uint64_t& count) const {
    if (end < kLocator64Bytes || number(end - kLocator64Bytes, 4) != kLocator64) return;
    const std::uint64_t record = number(end - kLocator64Bytes + 8, 8);
    if (number(record, 4) != kEnd64) fail(where_, "not an .npz file", "the directory of the zip is damaged");
    if (count == kMostEntries) count = number(record + 32, 8);
    if (directory == kMost) directory = number(record + 48, 8);
  }

  Array read_entry(std::uint64_t central, const std::string& entry, std::string_view extra) const {
    const std::string where = fmt::format("{}: \"{}\"", where_, entry);
    std::uint64_t full = number(central + 24, 4), packed = number(central + 20, 4), local = number(central + 42, 4);
    read_zip64(extra, {&full, &packed, &local});
    if ((number(central + 8, 2) & 1) != 0) fail(where, "encrypted");
    if (number(local, 4) != kLocal) fail(where, "truncated or damaged zip");
    const std::uint64_t begin = local + kLocalBytes + number(local + 26, 2) + number(local + 28, 2);
    const std::string_view stored = text(begin, packed);
    const std::uint64_t method = number(central + 10, 2);
    std::string inflated;
    std::string_view data = stored;
    if (method == Z_DEFLATED) {
      inflated = inflate_all(where, stored, full);
      data = inflated;
    } else if (method != 0) {
      fail(where, "packed by a method not known here", fmt::format("{}", method), "stored and deflated are read");
    }
    if (data.size() != full) fail(where, "wrong size", fmt::format("{} bytes, {} expected", data.size(), full));
    if (checksum_of(data) != number(central + 16, 4)) fail(where, "damaged", "the checksum does not fit the data");
    return npy_array(where, data);
  }

  /// Values that are 0xffffffff stand in the zip64 extra field, in this order.
  void read_zip64(std::string_view extra, std::initializer_list<std::uint64_t*> values) const {
    const ZipReader fields(where_, extra);
    for (std::uint64_t at = 0; at + 4 <= extra.size();) {
      const std::uint64_t id = fields.number(at, 2), size = fields.number(at + 2, 2);
      at += 4;
      if (id == 1) {
        std::uint64_t field = at;
        for (std::uint64_t* value : values) {
          if (*value != kMost) continue;
          *value = fields.number(field, 8);
          field += 8;
        }
      }
      at += size;
    }
  }

  static std::string inflate_all(const std::string& where, std::string_view packed, std::uint64_t full) {
    if (full > packed.size() * kMaxInflation + 64 || packed.size() > kMost || full > kMost) {
      fail(where, "damaged", fmt::format("{} bytes cannot come from {}", full, packed.size()));
    }
    std::string out(static_cast<std::size_t>(full), '\0');
    z_stream stream{};
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) fail(where, "zlib does not start");
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    stream.avail_in = static_cast<uInt>(packed.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    const int status = inflate(&stream, Z_FINISH);
    inflateEnd(&stream);
    if (status != Z_STREAM_END || stream.avail_out != 0) fail(where, "damaged", "the packed data do not unfold");
    return out;
  }

  std::string where_;
  std::string_view bytes_;
};

}  // namespace

void save_npz(const std::filesystem::path& path, const NamedArrays& arrays) {
  const std::string where = "save_npz: " + path.string();
  if (arrays.size() > kMostEntries) {
    fail(where, "too many arrays for .npz", fmt::format("{}, at most {}", arrays.size(), kMostEntries),
         "use safetensors");
  }
  std::set<std::string_view> seen;
  std::string central;
  std::uint64_t offset = 0;
  AtomicFile file(path);
  for (const NamedArray& array : arrays) {
    if (!seen.insert(array.name).second) fail(where, fmt::format("two arrays have the name \"{}\"", array.name));
    if (!is_utf8(array.name)) fail(where, "the name of an array is not UTF-8", array.name);
    const std::string entry = array.name + ".npy";
    const std::string data = npy_bytes(fmt::format("{}: \"{}\"", where, array.name), array.array);
    if (data.size() > kMost || offset > kMost - data.size() - kLocalBytes - entry.size() || entry.size() > 65535) {
      fail(where, "too large for .npz", "a file ends at 4 GiB", "use safetensors");
    }
    std::string local;
    put(local, kLocal, 4);
    put_common(local, data);
    put(local, entry.size(), 2);
    put(local, 0, 2);
    local += entry;
    put(central, kCentral, 4);
    put(central, 20, 2);
    put_common(central, data);
    put(central, entry.size(), 2);
    for (const int bytes : {2, 2, 2, 2, 4}) put(central, 0, bytes);  // extra, comment, disk, attributes
    put(central, offset, 4);
    central += entry;
    file.write(local);
    file.write(data);
    offset += local.size() + data.size();
  }
  if (central.size() > kMost - offset) fail(where, "too large for .npz", "a file ends at 4 GiB", "use safetensors");
  std::string end;
  put(end, kEnd, 4);
  put(end, 0, 4);  // disks
  put(end, arrays.size(), 2);
  put(end, arrays.size(), 2);
  put(end, central.size(), 4);
  put(end, offset, 4);
  put(end, 0, 2);  // comment
  file.write(central);
  file.write(end);
  file.commit();
}

NamedArrays load_npz(const std::filesystem::path& path) {
  const std::string bytes = read_file(path, std::uint64_t{1} << 36);
  return ZipReader("load_npz: " + path.string(), bytes).read();
}

}  // namespace tandem
