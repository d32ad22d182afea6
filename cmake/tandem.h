// All of Tandem's public headers.
#pragma once

#include <tandem/autograd/backward.h>
#include <tandem/autograd/named_tensor.h>
#include <tandem/autograd/ops.h>
#include <tandem/autograd/record.h>
#include <tandem/autograd/tensor.h>
#include <tandem/core/allocator.h>
#include <tandem/core/array.h>
#include <tandem/core/error.h>
#include <tandem/core/generator.h>
#include <tandem/core/safetensors.h>
#include <tandem/core/threads.h>
#include <tandem/nn/activations.h>
#include <tandem/nn/batch_norm2d.h>
#include <tandem/nn/conv2d.h>
#include <tandem/nn/dropout.h>
#include <tandem/nn/flatten.h>
#include <tandem/nn/init.h>
#include <tandem/nn/linear.h>
#include <tandem/nn/models/make_model.h>
#include <tandem/nn/models/resnet.h>
#include <tandem/nn/module.h>
#include <tandem/nn/pool2d.h>
#include <tandem/nn/running_statistics.h>
#include <tandem/nn/sequential.h>
#include <tandem/nn/summary.h>
