// Module: registration, walking the tree, training behaviour. The state dict stands in state_dict.cpp. See module.h.
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <typeinfo>

#include <cxxabi.h>
#include <fmt/format.h>

#include <tandem/core/capture.h>
#include <tandem/nn/models/make_model.h>
#include <tandem/nn/module.h>

namespace tandem::nn {

// --- calls

Tensor Module::operator()(const Tensor& x) {
  return enter(x, [&](const Tensor& in) { return forward(in); });
}

Tensor Module::forward(const Tensor& x) {
  fail("forward", "the layer is not called with one input", x.defined() ? "x " + to_string(x.shape()) : std::string(),
       "give it all that its operator() takes");
}

namespace {
thread_local const Module* running_module = nullptr;
}

CallScope::CallScope(const Module* module) : before_(running_module) { running_module = module; }
CallScope::~CallScope() { running_module = before_; }
const Module* CallScope::running() { return running_module; }

namespace {
bool stands_below(const Module& root, const Module& module) {
  return std::any_of(root.children().begin(), root.children().end(), [&](const NamedModule& child) {
    return child.module == &module || stands_below(*child.module, module);
  });
}
}  // namespace

bool Module::holds(const Module& module) const {
  return stands_below(*this, module) || std::any_of(borrowed_.begin(), borrowed_.end(), [&](const Module* borrowed) {
           return borrowed == &module || stands_below(*borrowed, module);
         });
}

void Module::check_caller() const {
  const Module* const caller = CallScope::running();
  if (caller == nullptr || caller == this || caller == caller_.load(std::memory_order_relaxed)) return;
  if (!caller->holds(*this)) {
    // The caller's door adds its name and path.
    fail(describe(), "it is called but not registered here", "it would be neither trained, saved nor switched",
         "declare it by Sub or register it by child(); borrow() it where that is meant");
  }
  caller_.store(caller, std::memory_order_relaxed);
}

namespace {
std::string path_to(const Module& root, const Module& module) {
  for (const NamedModule& child : root.children()) {
    if (child.module == &module) return child.name;
    if (const std::string below = path_to(*child.module, module); !below.empty()) return child.name + "." + below;
  }
  return {};
}
}  // namespace

std::string Module::path_below(const Module* caller) const {
  if (caller == nullptr || caller == this) return name_;
  const std::string path = path_to(*caller, *this);
  return path.empty() ? name_ : path;
}

// --- what it is

std::string Module::describe() const {
  const char* mangled = typeid(*this).name();
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> plain(abi::__cxa_demangle(mangled, nullptr, nullptr, &status),
                                                     std::free);
  const std::string full = status == 0 ? plain.get() : mangled;
  const std::size_t colon = full.rfind("::");
  return colon == std::string::npos ? full : full.substr(colon + 2);
}

std::int64_t Module::multiply_adds(const Shape&, const Shape&) const { return 0; }

std::shared_ptr<Module> Module::fresh() const {
  if (!origin_.name.empty()) return make_model(origin_.name, origin_.options);
  fail(describe(), "a model of this kind cannot be made again", "make_model does not know it",
       "register_model it, or override fresh()");
}

// --- registration

void Module::check_name(const std::string& name) const {
  if (name.empty()) fail(describe(), "a parameter, buffer or child has no name");
  if (name.find('.') != std::string::npos) {
    fail(describe(), fmt::format("the name \"{}\" holds a dot", name), "", "dots join the names of a path");
  }
  const bool taken =
      std::any_of(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.name == name; }) ||
      std::any_of(children_.begin(), children_.end(), [&](const NamedModule& c) { return c.name == name; });
  if (taken) fail(describe(), fmt::format("the name \"{}\" is registered twice", name));
}

Tensor Module::add_entry(std::string name, Tensor value, Kind kind) {
  check_name(name);
  if (!value.defined()) fail(describe(), fmt::format("\"{}\" is registered without a value", name));
  entries_.push_back({std::move(name), value, kind});
  return value;
}

Tensor Module::parameter(std::string name, Tensor value) {
  Tensor registered = add_entry(std::move(name), std::move(value), Kind::parameter);
  registered.set_requires_grad(true);
  return registered;
}

Tensor Module::buffer(std::string name, Tensor value) {
  return add_entry(std::move(name), std::move(value), Kind::buffer);
}

Tensor Module::random_buffer(std::string name, Tensor value) {
  return add_entry(std::move(name), std::move(value), Kind::random);
}

void Module::child(std::string name, Module& module) {
  check_name(name);
  const std::vector<NamedModule> below = module.modules();
  const bool holds_this =
      std::any_of(below.begin(), below.end(), [&](const NamedModule& m) { return m.module == this; });
  if (holds_this) fail(describe(), fmt::format("\"{}\" is this module or one above it", name));
  if (module.name_.empty()) module.name_ = name;  // a shared layer keeps its first name
  children_.push_back({std::move(name), &module});
  capture::grow_older();
}

// --- walking

namespace {

void walk(const std::string& path, Module& module, std::vector<NamedModule>& found) {
  const bool seen = std::any_of(found.begin(), found.end(), [&](const NamedModule& m) { return m.module == &module; });
  if (seen) return;
  found.push_back({path, &module});
  for (const NamedModule& c : module.children()) walk(path.empty() ? c.name : path + "." + c.name, *c.module, found);
}

}  // namespace

std::vector<NamedModule> Module::modules() {
  std::vector<NamedModule> found;
  walk("", *this, found);
  return found;
}

void Module::apply(const std::function<void(Module&)>& f) {
  // Parents stand before their children in modules(); backwards, every child comes before its parents.
  const std::vector<NamedModule> all = modules();
  for (auto m = all.rbegin(); m != all.rend(); ++m) f(*m->module);
}

void Module::set_training(bool training) {
  capture::grow_older();
  apply([training](Module& m) { m.training_ = training; });
}

// --- parameters as a whole

std::int64_t Module::parameter_count() const {
  std::int64_t count = 0;
  for (const NamedTensor& p : parameters()) count += p.tensor.size();
  return count;
}

void Module::freeze() {
  for (NamedTensor& p : parameters()) p.tensor.set_requires_grad(false);
}

void Module::unfreeze() {
  for (NamedTensor& p : parameters()) p.tensor.set_requires_grad(true);
}

void Module::to(DType dtype) {
  if (dtype != DType::f32 && dtype != DType::f64) {
    fail("Module::to", fmt::format("parameters cannot be {}", name(dtype)), "", "f32 and f64 can be trained");
  }
  capture::grow_older();
  NamedTensors all = state_dict();
  for (const NamedTensor& t : all) {
    if (t.tensor.state()->owner != nullptr) {
      fail("Module::to", fmt::format("\"{}\" belongs to an Optimizer", t.name), "", "convert before binding");
    }
  }
  for (NamedTensor& t : all) {
    if (!is_floating(t.tensor.dtype()) || t.tensor.dtype() == dtype) continue;
    TensorState& state = *t.tensor.state();
    state.value = state.value.to(dtype);
    state.grad = Array();
    state.grad_arrived = false;
  }
}

}  // namespace tandem::nn
