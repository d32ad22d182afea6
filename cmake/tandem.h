// All of Tandem's public headers.
#pragma once

#include <tandem/autograd/backward.h>
#include <tandem/autograd/ops.h>
#include <tandem/autograd/record.h>
#include <tandem/autograd/tensor.h>
#include <tandem/core/allocator.h>
#include <tandem/core/array.h>
#include <tandem/core/error.h>
#include <tandem/core/generator.h>
#include <tandem/core/threads.h>
