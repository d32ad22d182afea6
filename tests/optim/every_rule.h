// Specs that together hold every rule and every kind of composition of Tandem: what general tests run over.
#pragma once

namespace support {

inline constexpr const char* kRules[] = {
    "sgd(lr=0.1)",
    "sgd(lr=0.1 * cosine(warmup=3, total=20), weight_decay=0.01, decoupled, no_bias_decay)",
    "momentum(lr=0.1, momentum=0.9, nesterov, weight_decay=0.01, no_bias_decay)",
    "adam(lr=0.01)",
    "adamw(lr=0.01, weight_decay=0.1, no_bias_decay)",
    "amsgrad(lr=0.01, weight_decay=0.1)",
    "rmsprop(lr=0.01)",
    "rmsprop(lr=0.01, momentum=0.9, centered, weight_decay=0.1)",
    "adagrad(lr=0.1, lr_decay=0.01, initial=0.1)",
    "adadelta(lr=1, weight_decay=0.1, decoupled)",
    "radam(lr=0.01)",
    "nadam(lr=0.01 * plateau)",
    "lion(lr=0.01, weight_decay=0.1)",
    "lars(lr=1, momentum=0.9, weight_decay=0.01, no_bias_decay)",
    "lamb(lr=0.01, no_bias_decay)",
    "lookahead(adam(lr=0.01), k=5, alpha=0.5)",
    "lookahead(radam(lr=0.01), k=3, alpha=0.8, state=reset)",
    "lookahead(momentum(lr=0.1, momentum=0.9), k=4, alpha=0.5, state=interpolate)",
    "lookahead(sgd(lr=0.1), k=3, alpha=0.5, adaptive, alpha_low=0.1)",
    "lookahead(lookahead(lamb(lr=0.01), k=2, alpha=0.5), k=4, alpha=0.5)",
    "lookahead(lookahead(nadam(lr=0.01), k=2, alpha=0.5, adaptive), k=3, alpha=0.9, adaptive)",
    "outer_loop(adamw(lr=0.01, weight_decay=0.1), momentum(lr=0.7, momentum=0.9, nesterov), k=5)",
    "outer_loop(rmsprop(lr=0.01), lamb(lr=0.1), k=2, state=interpolate, mix=0.3)",
    "outer_loop(lookahead(adagrad(lr=0.01), k=2, alpha=0.5), clip_norm(sgd(lr=0.5), max=1), k=4)",
    "clip_norm(lookahead(adam(lr=0.01), k=5, alpha=0.5), max=0.1)",
    "clip_value(clip_norm(lars(lr=1, momentum=0.9), max=1), max=0.01)",
    "lookahead(clip_norm(lion(lr=0.01), max=1), k=5, alpha=0.5)",
    "ema(lookahead(adam(lr=0.01), k=5, alpha=0.5), decay=0.9)",
    "swa(momentum(lr=0.1, momentum=0.9), from=3, every=2)",
    "polyak(clip_norm(sgd(lr=0.1), max=1))",
    "lookahead(ema(swa(adadelta(lr=1), from=2, every=1), decay=0.9), k=2, alpha=0.5)",
};

}  // namespace support
