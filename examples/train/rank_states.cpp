// States packed for the way: a line of text an array, then the bytes of all. Metadata are of rank 0.
#include "rank_states.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <set>
#include <sstream>

#include <tandem/core/error.h>

namespace tandem::train {
namespace {

constexpr const char* kMissing = "missing";  // "rank1/missing": names of rank 0 that rank 1 has not, a line each

std::string prefix_of(int rank) { return fmt::format("rank{}/", rank); }

struct Packed {
  std::string head;
  std::string bytes;
};

Packed pack(const NamedArrays& arrays) {
  Packed packed;
  for (const auto& [name, array] : arrays) {
    packed.head += fmt::format("{} {}", static_cast<int>(array.dtype()), array.rank());
    for (int d = 0; d < array.rank(); ++d) packed.head += fmt::format(" {}", array.shape(d));
    packed.head += " " + name + "\n";
    const Array whole = array.contiguous();
    packed.bytes.append(reinterpret_cast<const char*>(whole.bytes()),
                        static_cast<std::size_t>(whole.size()) * size_of(whole.dtype()));
  }
  return packed;
}

NamedArrays unpack(const Packed& packed) {
  NamedArrays arrays;
  std::istringstream lines(packed.head);
  std::size_t at = 0;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    int dtype = 0, rank = 0;
    words >> dtype >> rank;
    std::vector<std::int64_t> sizes(static_cast<std::size_t>(rank));
    for (std::int64_t& size : sizes) words >> size;
    words.get();
    std::string name;
    std::getline(words, name);
    Array array = Array::empty(Shape(sizes), static_cast<DType>(dtype));
    const std::size_t bytes = static_cast<std::size_t>(array.size()) * size_of(array.dtype());
    if (bytes > 0) std::memcpy(array.bytes(), packed.bytes.data() + at, bytes);
    at += bytes;
    arrays.push_back({name, array});
  }
  return arrays;
}

/// Both texts, from one rank to another.
void pass(std::string& text, int from, int to, Workers& workers) {
  auto bytes = static_cast<std::int64_t>(text.size());
  workers.pass(&bytes, sizeof(bytes), from, to);
  if (workers.rank() == to) text.resize(static_cast<std::size_t>(bytes));
  if (bytes > 0) workers.pass(text.data(), bytes, from, to);
}
void pass(Packed& packed, int from, int to, Workers& workers) {
  if (workers.rank() != from && workers.rank() != to) return;
  pass(packed.head, from, to, workers);
  pass(packed.bytes, from, to, workers);
}

const Array* find(const NamedArrays& arrays, const std::string& name) {
  const auto at = std::find_if(arrays.begin(), arrays.end(), [&](const NamedArray& a) { return a.name == name; });
  return at == arrays.end() ? nullptr : &at->array;
}

}  // namespace

NamedArrays gather_states(const NamedArrays& mine, Metadata& metadata, Workers& workers) {
  NamedArrays all = workers.rank() == 0 ? mine : NamedArrays{};
  for (int r = 1; r < workers.size(); ++r) {
    Packed packed = workers.rank() == r ? pack(mine) : Packed{};
    pass(packed, r, 0, workers);
    if (workers.rank() != 0) continue;
    const NamedArrays other = unpack(packed);
    for (const auto& [name, array] : other) {
      const Array* const own = find(mine, name);
      if (own == nullptr || !identical(*own, array)) all.push_back({prefix_of(r) + name, array});
    }
    std::string missing;
    for (const auto& [name, array] : mine)
      if (find(other, name) == nullptr) missing += name + "\n";
    if (!missing.empty()) metadata[prefix_of(r) + kMissing] = missing;
  }
  return all;
}

NamedArrays scatter_states(const NamedArrays& all, Metadata& metadata, Workers& workers) {
  NamedArrays mine;
  for (int r = 0; r < workers.size(); ++r) {
    Packed packed;
    if (workers.rank() == 0) {
      NamedArrays own = subtree(all, prefix_of(r));
      std::set<std::string> left_out;
      for (const auto& [name, array] : own) left_out.insert(name);
      if (const auto missing = metadata.find(prefix_of(r) + kMissing); missing != metadata.end()) {
        std::istringstream names(missing->second);
        for (std::string name; std::getline(names, name);) left_out.insert(name);
      }
      for (const auto& [name, array] : all) {
        const bool is_of_rank = name.substr(0, 4) == "rank" && name.size() > 4 && name[4] >= '0' && name[4] <= '9';
        if (!is_of_rank && left_out.count(name) == 0) own.push_back({name, array});
      }
      if (r == 0) {
        mine = std::move(own);
      } else {
        packed = pack(own);
      }
    }
    pass(packed, 0, r, workers);
    if (workers.rank() == r && r > 0) mine = unpack(packed);
  }
  std::string text;
  for (const auto& [key, value] : metadata) text += fmt::format("{} {} {}{}", key.size(), value.size(), key, value);
  text = workers.broadcast(text);
  metadata.clear();
  for (std::size_t at = 0; at < text.size();) {
    std::size_t key = 0, value = 0;
    int head = 0;
    if (std::sscanf(text.c_str() + at, "%zu %zu%n", &key, &value, &head) != 2)
      fail("checkpoint", "its metadata are not whole");
    at += static_cast<std::size_t>(head) + 1;
    metadata[text.substr(at, key)] = text.substr(at + key, value);
    at += key + value;
  }
  return mine;
}

}  // namespace tandem::train
