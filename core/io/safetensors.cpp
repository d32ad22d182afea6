// safetensors, written and read. The header is checked as its reference implementation checks it (offsets cover the
// data without holes or overlaps) and beyond: a name given twice is refused.
#include <tandem/core/io/safetensors.h>

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>
#include <optional>
#include <set>

#include <nlohmann/json.hpp>

#include <tandem/core/error.h>
#include <tandem/core/io/file.h>
#include <tandem/core/io/safetensors_write.h>
#include <tandem/core/utf8.h>

namespace tandem {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors data are little-endian");

using Json = nlohmann::ordered_json;

constexpr std::string_view kMetadataKey = "__metadata__";
constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;  // as in the reference implementation
constexpr std::uint64_t kPrefixBytes = 8;
constexpr std::uint64_t kAlignment = 8;

constexpr std::pair<DType, std::string_view> kFormatNames[] = {
    {DType::f32, "F32"}, {DType::f64, "F64"}, {DType::f16, "F16"}, {DType::bf16, "BF16"},   {DType::i64, "I64"},
    {DType::i32, "I32"}, {DType::i8, "I8"},   {DType::u8, "U8"},   {DType::boolean, "BOOL"}};

std::string_view format_name(DType dtype) {
  for (const auto& [ours, theirs] : kFormatNames)
    if (ours == dtype) return theirs;
  return {};
}

/// Where one entry lies in the data.
struct Entry {
  std::string name;
  DType dtype = DType::f32;
  Shape shape;
  std::uint64_t begin = 0, end = 0;
};

// Writing.

void check_names(const std::string& where, const NamedArrays& arrays) {
  std::set<std::string_view> seen;
  for (const NamedArray& entry : arrays) {
    if (entry.name == kMetadataKey) fail(where, "an array has the reserved name \"__metadata__\"");
    if (!seen.insert(entry.name).second) fail(where, fmt::format("two arrays have the name \"{}\"", entry.name));
    if (!entry.array.defined()) fail(where, fmt::format("the array \"{}\" is not defined", entry.name));
    if (!is_utf8(entry.name)) fail(where, "the name of an array is not UTF-8", entry.name);
  }
}

/// JSON is UTF-8. Whoever trains for hours asks is_utf8 before.
void check_metadata(const std::string& where, const Metadata& metadata) {
  for (const auto& [key, value] : metadata) {
    if (!is_utf8(key)) fail(where, "a key of the metadata is not UTF-8", key);
    if (!is_utf8(value)) fail(where, fmt::format("the metadata value of \"{}\" is not UTF-8", key), value);
  }
}

/// The order of the data: widest elements first, else as given.
std::vector<std::size_t> data_order(const NamedArrays& arrays) {
  std::vector<std::size_t> order(arrays.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return size_of(arrays[a].array.dtype()) > size_of(arrays[b].array.dtype());
  });
  return order;
}

std::uint64_t bytes_of(const Array& array) { return static_cast<std::uint64_t>(array.size()) * size_of(array.dtype()); }

std::string header_of(const std::string& where, const NamedArrays& arrays, const std::vector<std::size_t>& order,
                      const Metadata& metadata) {
  std::vector<std::uint64_t> begin(arrays.size());
  std::uint64_t offset = 0;
  for (const std::size_t i : order) {
    begin[i] = offset;
    offset += bytes_of(arrays[i].array);
  }
  Json header = Json::object();
  if (!metadata.empty()) header[std::string(kMetadataKey)] = metadata;
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    const Array& array = arrays[i].array;
    header.push_back(
        {arrays[i].name, Json{{"dtype", format_name(array.dtype())},
                              {"shape", std::vector<std::int64_t>(array.shape().begin(), array.shape().end())},
                              {"data_offsets", {begin[i], begin[i] + bytes_of(array)}}}});
  }
  std::string text = header.dump();
  text.append((kAlignment - text.size() % kAlignment) % kAlignment, ' ');
  if (text.size() > kMaxHeaderBytes)
    fail(where, "the header is too long", fmt::format("{} bytes, at most {}", text.size(), kMaxHeaderBytes));
  return text;
}

// Reading. `where` is the file's path.

/// JSON without keys given twice and without deep nesting.
Json parse_header(const std::string& where, const std::string& text) {
  std::vector<std::set<std::string>> keys;  // of the objects that are open
  const auto check = [&](int depth, Json::parse_event_t event, Json& value) {
    using Event = Json::parse_event_t;
    if (depth > 8) fail(where, "not a safetensors file", "the header is nested too deeply");
    if (event == Event::object_start) keys.emplace_back();
    if (event == Event::object_end) keys.pop_back();
    if (event == Event::key && !keys.back().insert(value.get<std::string>()).second)
      fail(where, "the header is damaged", fmt::format("the name \"{}\" stands twice", value.get<std::string>()));
    return true;
  };
  // The parser would take a NUL for the end.
  if (text.find('\0') != std::string::npos) fail(where, "the header is damaged", "it holds a NUL byte");
  try {
    Json header = Json::parse(text, check);
    if (!header.is_object()) fail(where, "not a safetensors file", "the header is not a JSON object");
    return header;
  } catch (const Json::exception&) {
    fail(where, "not a safetensors file", "the header is not JSON");
  }
}

/// A list of whole numbers in [0, 2^63), nothing when it is anything else.
std::optional<std::vector<std::uint64_t>> whole_numbers(const Json& value) {
  if (!value.is_array()) return std::nullopt;
  std::vector<std::uint64_t> numbers;
  for (const Json& number : value) {
    if (!number.is_number_unsigned() || number.get<std::uint64_t>() >> 63 != 0) return std::nullopt;
    numbers.push_back(number.get<std::uint64_t>());
  }
  return numbers;
}

Entry read_entry(const std::string& where, const std::string& name, const Json& value, std::uint64_t data_bytes) {
  const auto fail_entry = [&](std::string_view what, std::string_view facts = {}) {
    fail(where, fmt::format("entry \"{}\": {}", name, what), facts);
  };
  if (!value.is_object() || !value.contains("dtype") || !value.contains("shape") || !value.contains("data_offsets"))
    fail_entry("needs dtype, shape and data_offsets");
  if (value.size() != 3) fail_entry("has more than dtype, shape and data_offsets");

  Entry entry;
  entry.name = name;
  const Json& dtype = value["dtype"];
  const auto* known = std::find_if(std::begin(kFormatNames), std::end(kFormatNames),
                                   [&](const auto& pair) { return dtype.is_string() && dtype == pair.second; });
  if (known == std::end(kFormatNames))
    fail_entry(fmt::format("dtype {} is not known", dtype.dump(-1, ' ', true, Json::error_handler_t::replace)),
               "known are F32, F64, F16, BF16, I64, I32, I8, U8, BOOL");
  entry.dtype = known->first;

  const auto shape = whole_numbers(value["shape"]);
  if (!shape) fail_entry("the shape is not a list of whole numbers");
  if (shape->size() > static_cast<std::size_t>(kMaxRank))
    fail_entry("the shape has too many dims", fmt::format("{}, at most {}", shape->size(), kMaxRank));
  const auto offsets = whole_numbers(value["data_offsets"]);
  if (!offsets || offsets->size() != 2) fail_entry("data_offsets are not two whole numbers");
  entry.begin = (*offsets)[0];
  entry.end = (*offsets)[1];
  if (entry.begin > entry.end || entry.end > data_bytes)
    fail_entry("data_offsets lie outside the file",
               fmt::format("[{}, {}], the data have {} bytes", entry.begin, entry.end, data_bytes));

  // Zeros are left out of the product, so that [2^62, 4, 0] is refused and not an overflow of its strides.
  std::uint64_t bytes = size_of(entry.dtype);
  for (const std::uint64_t size : *shape) {
    entry.shape.push_back(static_cast<std::int64_t>(size));
    if (size > std::numeric_limits<std::int64_t>::max() / bytes) fail_entry("the shape overflows");
    if (size != 0) bytes *= size;
  }
  if (std::find(shape->begin(), shape->end(), 0U) != shape->end()) bytes = 0;
  if (bytes != entry.end - entry.begin)
    fail_entry("data_offsets do not fit the shape",
               fmt::format("shape {} of {} takes {} bytes, data_offsets hold {}", entry.shape.to_string(),
                           known->second, bytes, entry.end - entry.begin));
  return entry;
}

/// The entries must cover the data: no holes, no overlaps, nothing behind the last.
void check_coverage(const std::string& where, const std::vector<Entry>& entries, std::uint64_t data_bytes) {
  std::vector<const Entry*> order;
  for (const Entry& entry : entries) order.push_back(&entry);
  std::sort(order.begin(), order.end(),
            [](const Entry* a, const Entry* b) { return std::pair(a->begin, a->end) < std::pair(b->begin, b->end); });
  std::uint64_t reached = 0;
  for (const Entry* entry : order) {
    if (entry->begin != reached)
      fail(where,
           fmt::format("entry \"{}\" {}", entry->name,
                       entry->begin < reached ? "overlaps the one before it" : "leaves a hole before it"),
           fmt::format("it begins at byte {} of the data, the one before ends at {}", entry->begin, reached));
    reached = entry->end;
  }
  if (reached != data_bytes)
    fail(where, "the size of the file does not fit its header",
         fmt::format("{} bytes of data expected, {} found", reached, data_bytes));
}

Metadata read_metadata(const std::string& where, const Json& value) {
  Metadata metadata;
  if (value.is_null()) return metadata;  // as the reference implementation takes it
  if (!value.is_object()) fail(where, "the header is damaged", "__metadata__ is not an object");
  for (const auto& [key, text] : value.items()) {
    if (!text.is_string()) fail(where, "the header is damaged", fmt::format("metadata \"{}\" is not a string", key));
    metadata[key] = text.get<std::string>();
  }
  return metadata;
}

}  // namespace

const Array* Safetensors::find(std::string_view name) const {
  for (const NamedArray& entry : arrays)
    if (entry.name == name) return &entry.array;
  return nullptr;
}

void write_safetensors(AtomicFile& file, const std::string& where, const NamedArrays& arrays,
                       const Metadata& metadata) {
  check_names(where, arrays);
  check_metadata(where, metadata);
  const std::vector<std::size_t> order = data_order(arrays);
  const std::string header = header_of(where, arrays, order, metadata);
  const std::uint64_t length = header.size();
  file.write(&length, sizeof length);
  file.write(header);
  for (const std::size_t i : order) {
    const Array plain = arrays[i].array.contiguous();
    file.write(plain.bytes(), static_cast<std::size_t>(bytes_of(plain)));
  }
}

void save_safetensors(const std::filesystem::path& path, const NamedArrays& arrays, const Metadata& metadata) {
  AtomicFile file(path);
  write_safetensors(file, path.string(), arrays, metadata);
  file.commit();
}

Safetensors load_safetensors(const std::filesystem::path& path) {
  const std::string where = path.string();
  const InputFile file(path);
  if (file.size() < kPrefixBytes)
    fail(where, "not a safetensors file", fmt::format("{} bytes, at least 8 are needed", file.size()));
  std::uint64_t length = 0;
  file.read(0, &length, sizeof length);
  if (length > kMaxHeaderBytes)
    fail(where, "not a safetensors file", fmt::format("a header of {} bytes, at most {}", length, kMaxHeaderBytes));
  if (length > file.size() - kPrefixBytes)
    fail(where, "the file is truncated",
         fmt::format("{} bytes of header expected, {} found", length, file.size() - kPrefixBytes));
  std::string text(static_cast<std::size_t>(length), '\0');
  file.read(kPrefixBytes, text.data(), text.size());

  const Json header = parse_header(where, text);
  const std::uint64_t data_begin = kPrefixBytes + length, data_bytes = file.size() - data_begin;
  Safetensors result;
  std::vector<Entry> entries;
  for (const auto& [name, value] : header.items()) {
    if (name == kMetadataKey)
      result.metadata = read_metadata(where, value);
    else
      entries.push_back(read_entry(where, name, value, data_bytes));
  }
  check_coverage(where, entries, data_bytes);
  for (const Entry& entry : entries) {
    Array array = Array::empty(entry.shape, entry.dtype);
    const auto bytes = static_cast<std::size_t>(entry.end - entry.begin);
    file.read(data_begin + entry.begin, array.bytes(), bytes);
    if (entry.dtype == DType::boolean && !are_booleans(array.bytes(), bytes))
      fail(where, fmt::format("entry \"{}\": a bool is neither 0 nor 1", entry.name));
    result.arrays.push_back({entry.name, std::move(array)});
  }
  return result;
}

}  // namespace tandem
