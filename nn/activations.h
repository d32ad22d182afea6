// Activations as layers, for Sequential. Inside a forward() the functions of autograd/ops.h are shorter.
#pragma once

#include <memory>
#include <string>

#include <tandem/nn/module.h>

namespace tandem::nn {

/// x.
class Identity : public Module {
 public:
  std::shared_ptr<Module> fresh() const override { return std::make_shared<Identity>(); }

 protected:
  Tensor forward(const Tensor& x) override { return x; }
};

/// max(x, 0).
class ReLU : public Module {
 public:
  std::shared_ptr<Module> fresh() const override { return std::make_shared<ReLU>(); }

 protected:
  Tensor forward(const Tensor& x) override;
};

/// x where x > 0, else slope x.
class LeakyReLU : public Module {
 public:
  struct Options {
    double slope = 0.01;
  };
  LeakyReLU() = default;
  explicit LeakyReLU(const Options& options) : options_(options) {}
  std::string describe() const override;
  std::shared_ptr<Module> fresh() const override { return std::make_shared<LeakyReLU>(options_); }

 protected:
  Tensor forward(const Tensor& x) override;

 private:
  Options options_;
};

/// x where x > 0, else alpha (e^x - 1).
class ELU : public Module {
 public:
  struct Options {
    double alpha = 1;
  };
  ELU() = default;
  explicit ELU(const Options& options) : options_(options) {}
  std::string describe() const override;
  std::shared_ptr<Module> fresh() const override { return std::make_shared<ELU>(options_); }

 protected:
  Tensor forward(const Tensor& x) override;

 private:
  Options options_;
};

/// x Phi(x), exact.
class GELU : public Module {
 public:
  std::shared_ptr<Module> fresh() const override { return std::make_shared<GELU>(); }

 protected:
  Tensor forward(const Tensor& x) override;
};

/// x sigmoid(x).
class SiLU : public Module {
 public:
  std::shared_ptr<Module> fresh() const override { return std::make_shared<SiLU>(); }

 protected:
  Tensor forward(const Tensor& x) override;
};

/// a sigmoid(b), where a and b are the halves of x along `dim` (Dauphin et al. 2017, "Language modeling with gated
/// convolutional networks"). Throws Error when the dim is odd.
class GLU : public Module {
 public:
  struct Options {
    int dim = -1;
  };
  GLU() = default;
  explicit GLU(const Options& options) : options_(options) {}
  std::string describe() const override;
  std::shared_ptr<Module> fresh() const override { return std::make_shared<GLU>(options_); }

 protected:
  Tensor forward(const Tensor& x) override;

 private:
  Options options_;
};

/// 1 / (1 + e^-x).
class Sigmoid : public Module {
 public:
  std::shared_ptr<Module> fresh() const override { return std::make_shared<Sigmoid>(); }

 protected:
  Tensor forward(const Tensor& x) override;
};

class Tanh : public Module {
 public:
  std::shared_ptr<Module> fresh() const override { return std::make_shared<Tanh>(); }

 protected:
  Tensor forward(const Tensor& x) override;
};

/// log(1 + e^x).
class Softplus : public Module {
 public:
  std::shared_ptr<Module> fresh() const override { return std::make_shared<Softplus>(); }

 protected:
  Tensor forward(const Tensor& x) override;
};

}  // namespace tandem::nn
