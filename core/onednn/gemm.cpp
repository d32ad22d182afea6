// dnnl_sgemm, the same in 2.6 and 3.x.
#include "gemm.h"

#include <oneapi/dnnl/dnnl.h>

#include <tandem/core/error.h>
#include <tandem/core/threads.h>

namespace tandem::onednn {

void gemm(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, const float* a,
          std::int64_t a_step, const float* b, std::int64_t b_step, float beta, float* y, std::int64_t y_step) {
  threads();  // oneDNN goes by the calling thread's team
  const dnnl_status_t status = dnnl_sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', m, n, k, 1.0F, a, a_step, b,
                                          b_step, beta, y, y_step);
  if (status != dnnl_success) fail("matmul", "oneDNN's matrix product failed", std::to_string(status));
}

}  // namespace tandem::onednn
