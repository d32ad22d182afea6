// launched: what mpirun says of this process in its environment: its rank, and how many it has started. Private to
// core (error.cpp, mpi_workers.cpp, no_mpi.cpp).
#pragma once

#include <charconv>
#include <cstdlib>
#include <string_view>
#include <system_error>
#include <utility>

#include <tandem/core/workers/workers.h>

namespace tandem {

/// OpenMPI's variables, else those of Slurm's and MPICH's PMI; a process alone where there are none.
inline Part launched() {
  const auto number = [](const char* name, int& value) {
    const char* const text = std::getenv(name);
    if (text == nullptr) return false;
    const std::string_view digits = text;
    return std::from_chars(digits.data(), digits.data() + digits.size(), value).ec == std::errc{};
  };
  Part part;
  for (const auto& [rank, size] :
       {std::pair{"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"}, std::pair{"PMI_RANK", "PMI_SIZE"}}) {
    if (number(rank, part.index) && number(size, part.count) && part.count > 0) return part;
  }
  return {};
}

}  // namespace tandem
