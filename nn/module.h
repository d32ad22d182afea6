// Module: a layer, or a model made of layers. Parameters, buffers and children are data members of the subclass that
// are registered by name; everything that walks the tree (state dict, freezing, to) follows from that.
//
//   struct Head : nn::Module {
//     nn::Sub<nn::Linear> fc{this, "fc", {.in = 64, .out = 10}};
//     Tensor forward(const Tensor& x) override { return fc(relu(x)); }
//   };
//
//   Module::operator()   the door: adds the layer path to errors, runs the hooks
//   forward              what the subclass computes
//
// Not here: layers (one a file), initial values (init.h), tables (summary.h). Read next: linear.h, linear.cpp, sub.h.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <tandem/autograd/anomaly.h>
#include <tandem/autograd/named_tensor.h>
#include <tandem/autograd/split_by_name.h>
#include <tandem/autograd/tensor.h>
#include <tandem/core/error.h>
#include <tandem/core/profile.h>
#include <tandem/nn/forward_hook.h>
#include <tandem/nn/model_options.h>

namespace tandem::nn {

class Module;

/// A Module with its path below some root: "layer1.0.conv1"; the root itself is "".
struct NamedModule {
  std::string name;
  Module* module = nullptr;
};

struct LoadOptions {
  bool strict = true;           ///< missing and unexpected names are errors
  bool skip_misshapen = false;  ///< entries of another shape are left alone, as a new head wants it; else errors
};

/// What a load took, and what it left alone.
struct LoadReport {
  std::vector<std::string> loaded;      ///< names of the state
  std::vector<std::string> missing;     ///< of this model, not in the state: as they were
  std::vector<std::string> unexpected;  ///< in the state, not of this model
  std::vector<std::string> misshapen;   ///< "linear.weight is [10, 64], must be [3, 64]": as they were

  bool is_complete() const { return missing.empty() && unexpected.empty() && misshapen.empty(); }
  /// "loaded 41 entries; missing (1): linear.bias; misshapen (1): ...".
  std::string to_string() const;
};

class Module {
 public:
  virtual ~Module() = default;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  /// forward(x). An Error that leaves it names this layer: `layer "features.2" Conv2d(16 -> 32, kernel 3x3): ...`.
  Tensor operator()(const Tensor& x);

  /// What this layer is, for errors and tables: "Conv2d(16 -> 32, kernel 3x3)". Default: the name of the class.
  virtual std::string describe() const;
  /// Multiplications with addition for one forward pass with these shapes, without those of children. Default: 0.
  virtual std::int64_t multiply_adds(const Shape& x, const Shape& y) const;

  /// Everything that can be trained, with its path, in the order of registration, own before children: PyTorch's order.
  /// A parameter with several names (tied) appears once, under the first.
  NamedTensors parameters() const;
  /// State that is not trained: running_mean, running_var, num_batches_tracked.
  NamedTensors buffers() const;
  /// Parameters and buffers in PyTorch's order: of each module first its parameters, then its buffers, then its
  /// children. A tied parameter is listed once, under its first name; PyTorch lists it under each, so that the state of
  /// a model with tied parameters is loaded there with strict=False. The Tensors are the model's own: clone them to
  /// keep a snapshot.
  NamedTensors state_dict() const;
  /// Copies values by name, in place and converted to the model's dtype, so that optimizers bound to the parameters and
  /// packed weights notice. Any name of a tied parameter will do. Throws one Error that lists missing, unexpected,
  /// repeated and misshapen entries; then nothing has changed. Throws Error while evaluation weights are swapped in.
  LoadReport load_state_dict(const NamedTensors& state, const LoadOptions& options = {});

  /// Where random layers (Dropout) stand, i64, apart from the state dict: save and load it to continue exactly.
  NamedTensors random_state() const;
  /// Throws Error as load_state_dict does.
  void load_random_state(const NamedTensors& state);

  /// Numbers in parameters().
  std::int64_t parameter_count() const;

  /// Training behaviour (the default) of this module and all below: batch statistics, dropout.
  void train() { set_training(true); }
  /// Evaluation behaviour: running statistics, no dropout.
  void evaluate() { set_training(false); }
  void set_training(bool training);
  bool is_training() const { return training_; }

  /// No gradients for the parameters of this module and all below. Batch norms go on updating their running statistics
  /// until evaluate().
  void freeze();
  void unfreeze();

  /// Parameters and floating buffers in another dtype, in place: f64 for gradcheck. Gradients are dropped.
  /// Throws Error when an Optimizer holds a parameter.
  void to(DType dtype);

  /// The name and options that make_model makes this model from; no name for one that it does not know.
  const ModelOrigin& origin() const { return origin_; }
  void set_origin(ModelOrigin origin) { origin_ = std::move(origin); }
  /// A model of the same class and options, its weights drawn anew: what clone (nn/clone.h) fills. Default: by
  /// make_model from the origin. Throws Error that says what to do where there is none; a class of one's own may
  /// override it: `return std::make_shared<Mine>(options_);`.
  virtual std::shared_ptr<Module> fresh() const;

  /// f for all modules below, children before parents, then this one; each module once.
  void apply(const std::function<void(Module&)>& f);
  /// Direct children, in order.
  const std::vector<NamedModule>& children() const { return children_; }
  /// This module (name "") and all below, parents before children, each once under its first path.
  std::vector<NamedModule> modules();

  /// f(module, x) before each forward pass of this module, f(module, x, y) after it; x is its first input, y its output
  /// (output_of). A defined Tensor that f returns takes the place of x, or y; f may return nothing. Hooks run in the
  /// order of registration, as long as the handle lives: `const auto hook = layer.register_forward_hook(f);`. They are
  /// the module's own: clones have none, all threads that call it run them, and none may call it during registration.
  template <class F>
  [[nodiscard]] HookHandle register_forward_pre_hook(F f) {
    return hooks_.before.add(tensor_valued<ForwardPreHook>(std::move(f)));
  }
  template <class F>
  [[nodiscard]] HookHandle register_forward_hook(F f) {
    return hooks_.after.add(tensor_valued<ForwardHook>(std::move(f)));
  }

 protected:
  Module() = default;

  /// What the layer computes of one input. Default: throws Error, for layers that take more; they add an operator() of
  /// their own over enter().
  virtual Tensor forward(const Tensor& x);

  /// Registers a parameter and returns its handle: `weight_ = parameter("weight", init)`. A Tensor that another module
  /// registered already is thereby tied. Throws Error for a name that is taken, empty or holds a dot.
  Tensor parameter(std::string name, Tensor value);
  /// Registers state that is saved but not trained.
  Tensor buffer(std::string name, Tensor value);
  /// Registers what random_state() lists.
  Tensor random_buffer(std::string name, Tensor value);
  /// Registers a member, which must live as long as this module. Sub (sub.h) declares, builds and registers in one.
  void child(std::string name, Module& module);
  /// Allows this module to call `module`, which is none of its children and so is neither trained, saved nor switched
  /// to evaluation with it: a teacher, a probe. Calling a module that is neither child nor borrowed throws Error.
  void borrow(const Module& module) { borrowed_.push_back(&module); }

  /// The door for calls with further inputs: runs f(x), whose result may be of any kind that output_of knows
  /// (forward_hook.h), adds the layer path to errors, and runs the hooks:
  ///   return enter(x, [&](const Tensor& in) { return compute(in, state); });
  template <class F>
  auto enter(const Tensor& x, F&& f) {
    check_caller();
    const profile::LayerScope profiled([&] { return path_below(CallScope::running()); });
    try {
      Tensor in = x;
      hooks_.before.run(*this, in);
      auto result = [&] {
        const CallScope scope(this);
        std::optional<LayerScope> layer;  // for errors in backward
        if (is_detecting_anomalies()) layer.emplace(name_, describe());
        return std::forward<F>(f)(std::as_const(in));
      }();
      hooks_.after.run(*this, output_of(result), in);
      return result;
    } catch (Error& error) {
      error.enter_layer(name_, describe());
      throw;
    }
  }

 private:
  enum class Kind { parameter, buffer, random };
  struct Entry {
    std::string name;
    Tensor tensor;
    Kind kind;
  };
  /// An entry below some root, with every name it can be loaded by.
  struct Found {
    std::vector<std::string> names;
    Tensor tensor;
    Kind kind;
  };

  Tensor add_entry(std::string name, Tensor value, Kind kind);
  void check_name(const std::string& name) const;
  /// Throws Error where the module that runs on this thread holds this one neither as a child nor borrowed.
  void check_caller() const;
  bool holds(const Module& module) const;
  /// From the module that calls this one; from a root, and from one that borrows it, its own name.
  std::string path_below(const Module* caller) const;
  void collect(const std::string& prefix, std::vector<Found>& found) const;
  NamedTensors list(bool (*wanted)(Kind)) const;
  LoadReport load(const char* where, bool (*wanted)(Kind), const NamedTensors& state, const LoadOptions& options);

  ModelOrigin origin_;
  std::string name_;  // in the parent; empty for a root
  bool training_ = true;
  std::vector<Entry> entries_;         // parameters before buffers, each in the order of registration
  std::vector<NamedModule> children_;  // members of the subclass
  std::vector<const Module*> borrowed_;
  ForwardHooks hooks_;
  mutable std::atomic<const Module*> caller_ = nullptr;  // the last that was found to hold this one

  template <class Layer>
  friend class Sub;
};

/// The parameters whose names match `pattern` ("*.bias", "layer1.*"; split_by_name says how), and the others: for the
/// groups of an Optimizer, for freezing. Throws UsageError when none match.
///   const auto [biases, others] = nn::parameters(model, "*.bias");
inline NamedSplit parameters(const Module& model, const std::string& pattern) {
  return split_by_name(model.parameters(), pattern);
}

}  // namespace tandem::nn
