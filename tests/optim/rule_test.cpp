// Rules as values: text and back, schedules over leaves, every error of a spec.
#include "support.h"

using namespace support;

TEST_CASE("describe prints what matters and parse_rule reads it") {
  CHECK(sgd({.lr = 0.5}).describe() == "sgd(lr=0.5)");
  CHECK(momentum({.lr = 0.1, .nesterov = true, .weight_decay = 5e-4}).describe() ==
        "momentum(lr=0.1, momentum=0.9, nesterov, weight_decay=0.0005)");
  CHECK(lookahead(adam({.lr = 3e-4}), {.k = 5, .alpha = 0.5}).describe() ==
        "lookahead(adam(lr=0.0003), k=5, alpha=0.5)");
  CHECK(adamw({.lr = 1e-3, .no_bias_decay = true}).describe() == "adamw(lr=0.001, weight_decay=0.01, no_bias_decay)");
  CHECK(outer_loop(sgd(), momentum({.lr = 0.7}), {.k = 8, .state = InnerState::interpolate, .mix = 0.25}).describe() ==
        "outer_loop(sgd(lr=0.1), momentum(lr=0.7, momentum=0.9), k=8, state=interpolate, mix=0.25)");
  CHECK(clip_norm(sgd(), 1).describe() == "clip_norm(sgd(lr=0.1), max=1)");

  for (const char* text :
       {"sgd(lr=0.5)",
        "sgd(lr=0.1 * cosine(warmup=98, total=1955))",
        "momentum(lr=0.1, momentum=0.9)",
        "momentum(lr=0.1, momentum=0.5 * linear(total=10, end=0.8), nesterov, weight_decay=0.0005, no_bias_decay)",
        "adam(lr=0.001, beta1=0.8, beta2=0.99, eps=1e-06, weight_decay=0.1)",
        "adamw(lr=0.001, weight_decay=0)",
        "lookahead(momentum(lr=0.1, momentum=0.9, weight_decay=0.0005), k=5, alpha=0.8)",
        "lookahead(lookahead(adam(lr=0.001), k=2, alpha=0.5, state=reset), k=6, alpha=0.25, state=interpolate)",
        "outer_loop(adamw(lr=0.001, weight_decay=0.1), momentum(lr=0.7, momentum=0.9, nesterov), k=10)",
        "clip_norm(clip_value(sgd(lr=0.1), max=5), max=0.25)",
        "sgd(lr=0.1, weight_decay=0.01, decoupled)",
        "rmsprop(lr=0.01, rho=0.9, eps=1e-06, momentum=0.9, centered, weight_decay=0.1, decoupled, no_bias_decay)",
        "adagrad(lr=0.01, lr_decay=0.1, initial=0.5)",
        "adadelta(lr=1, rho=0.8)",
        "radam(lr=0.001, beta2=0.99)",
        "nadam(lr=0.002, momentum_decay=0.01)",
        "amsgrad(lr=0.001, weight_decay=0.1, decoupled)",
        "lion(lr=0.0001, beta2=0.999)",
        "lars(lr=0.1, momentum=0.9, trust=0.02)",
        "lamb(lr=0.001, weight_decay=0)",
        "lookahead(radam(lr=0.001), k=6, alpha=0.5 * cosine(total=100), adaptive, alpha_low=0.1)"}) {
    CHECK(parse_rule(text).describe() == text);
    CHECK(parse_rule(parse_rule(text).describe()) == parse_rule(text));
  }
  CHECK(parse_rule(" lookahead( momentum ( lr = 0.1 ) , alpha = 8e-1 ) ").describe() ==
        "lookahead(momentum(lr=0.1, momentum=0.9), k=5, alpha=0.8)");
  CHECK(parse_rule("lookahead(k=3, adam)").describe() == "lookahead(adam(lr=0.001), k=3, alpha=0.5)");
  CHECK(parse_rule("momentum(nesterov=true)") == momentum({.nesterov = true}));
  CHECK(parse_rule("momentum(nesterov=false)") == momentum());
  CHECK(parse_rule("sgd(lr=0.1 * cosine(warmup=0.1))", 50).describe() == "sgd(lr=0.1 * cosine(warmup=5, total=50))");
}

TEST_CASE("with_schedule scales the lr of leaves, never an outer rule's") {
  const Schedule half = 0.5;
  CHECK(with_schedule(lookahead(sgd({.lr = 0.2}), {.alpha = 0.8}), half).describe() ==
        "lookahead(sgd(lr=0.1), k=5, alpha=0.8)");
  CHECK(with_schedule(outer_loop(sgd({.lr = 0.2}), sgd({.lr = 0.7})), half).describe() ==
        "outer_loop(sgd(lr=0.1), sgd(lr=0.7), k=5)");
  const Rule before = clip_norm(adam({.lr = 1}), 1);
  CHECK(with_schedule(before, parse_schedule("cosine(warmup=0.1)", 100)).describe() ==
        "clip_norm(adam(lr=cosine(warmup=10, total=100)), max=1)");
  CHECK(before.describe() == "clip_norm(adam(lr=1), max=1)");
}

TEST_CASE("spelling errors say where and what was meant") {
  const auto error = [](const char* text) { return message([&] { parse_rule(text); }); };
  CHECK(error("lookahead(momentum(lr=0.1, momentun=0.9), k=5)") ==
        "optimizer: unknown argument \"momentun\" of momentum at column 28: in "
        "\"lookahead(momentum(lr=0.1, momentun=0.9), k=5)\"; did you mean \"momentum\"?");
  CHECK(error("addam(lr=1)") ==
        "optimizer: unknown rule \"addam\" at column 1: in \"addam(lr=1)\"; did you mean \"adam\"?");
  CHECK(error("lookahead(adma(lr=1))") ==
        "optimizer: unknown rule \"adma\" at column 11: in \"lookahead(adma(lr=1))\"; did you mean \"adam\"?");
  CHECK(error("zzzzzzzz")
            .find("optimizer: unknown rule \"zzzzzzzz\" at column 1: in \"zzzzzzzz\"; known: adabelief, adadelta, "
                  "adagrad, adam, adamax, adamw, adan, ademamix, adopt, amsgrad, clip_norm, clip_value, ema, ") == 0);
  CHECK(error("momentum(nestrov)") ==
        "optimizer: unknown argument \"nestrov\" of momentum at column 10: in "
        "\"momentum(nestrov)\"; did you mean \"nesterov\"?");
  CHECK(error("lookahead(sgd, state=rest)") ==
        "optimizer: unknown state \"rest\" at column 22: in \"lookahead(sgd, state=rest)\"; did you mean \"reset\"?");
  CHECK(error("sgd(lr=0.1 * cosin(total=5))") ==
        "optimizer: unknown schedule \"cosin\" at column 14: in \"sgd(lr=0.1 * cosin(total=5))\"; did you mean "
        "\"cosine\"?");
}

TEST_CASE("bad grammar is one clear line") {
  const auto error = [](const char* text) { return message([&] { parse_rule(text); }); };
  CHECK(error("") == "optimizer: the text is empty at column 1: in \"\"; e.g. \"momentum(lr=0.1)\"");
  CHECK(error("sgd(lr=0.1") == "optimizer: \")\" is missing for the \"(\" at column 4: in \"sgd(lr=0.1\"");
  CHECK(error("lookahead(sgd(lr=0.1), k=5") ==
        "optimizer: \")\" is missing for the \"(\" at column 10: in \"lookahead(sgd(lr=0.1), k=5\"");
  CHECK(error("sgd(lr=0.1))") == "optimizer: unexpected \")\" after the end at column 12: in \"sgd(lr=0.1))\"");
  CHECK(error("sgd(lr=0.1 momentum=1)") ==
        "optimizer: expected \",\" or \")\", found \"m\" at column 12: in \"sgd(lr=0.1 momentum=1)\"");
  CHECK(error("sgd(lr=)") == "optimizer: expected a name or a number, found \")\" at column 8: in \"sgd(lr=)\"");
  CHECK(error("sgd(lr=0.1, lr=0.2)") ==
        "optimizer: argument \"lr\" of sgd is given twice at column 13: in \"sgd(lr=0.1, lr=0.2)\"");
  CHECK(error("sgd(0.1)") == "optimizer: expected an argument of sgd like name=value at column 5: in \"sgd(0.1)\"");
  CHECK(error("sgd(lr)") == "optimizer: argument \"lr\" of sgd needs a value at column 5: in \"sgd(lr)\"; e.g. lr=0.1");
  CHECK(error("0.1") == "optimizer: expected a rule at column 1: in \"0.1\"; e.g. momentum(lr=0.1)");
  CHECK(error("lookahead(k=5)") ==
        "optimizer: lookahead needs an inner rule at column 1: in \"lookahead(k=5)\"; "
        "e.g. lookahead(adam(lr=0.001))");
  CHECK(error("outer_loop(sgd)") ==
        "optimizer: outer_loop needs an outer rule at column 1: in \"outer_loop(sgd)\"; "
        "e.g. outer_loop(adam(lr=0.001), sgd(lr=0.5))");
  CHECK(error("lookahead(sgd, adam)") ==
        "optimizer: lookahead takes 1 rule, found another at column 16: in \"lookahead(sgd, adam)\"");
  CHECK(error("lookahead(sgd, k=2.5)") ==
        "optimizer: k must be a whole number at column 18: in \"lookahead(sgd, k=2.5)\"");
  CHECK(error("momentum(nesterov=3)") ==
        "optimizer: nesterov must be true or false at column 19: in \"momentum(nesterov=3)\"");
  CHECK(error("sgd(lr=0.1e)") == "optimizer: \"0.1e\" is not a number at column 8: in \"sgd(lr=0.1e)\"");
  CHECK(error("sgd(2=lr)") == "optimizer: expected the name of an argument before \"=\" at column 5: in \"sgd(2=lr)\"");
  const std::string deep(100, '(');
  std::string nest;
  for (int i = 0; i < 100; ++i) nest += "lookahead(";
  CHECK(error(nest.c_str()).find("optimizer: parentheses nest too deep at column 650") == 0);
}

TEST_CASE("values out of range are one clear line, from text and from code") {
  const auto error = [](const char* text) { return message([&] { parse_rule(text); }); };
  CHECK(error("lookahead(sgd, k=0)") == "lookahead: k is 0, must be at least 1");
  CHECK(error("lookahead(sgd, alpha=2)") == "lookahead: alpha is 2, must be in [0, 1]; 1 is the plain inner optimizer");
  CHECK(error("sgd(lr=-0.1)") == "sgd: lr is -0.1, must be at least 0");
  CHECK(error("momentum(momentum=1)") == "momentum: momentum is 1, must be in [0, 1)");
  CHECK(error("adam(beta2=1.5)") == "adam: beta2 is 1.5, must be in [0, 1)");
  CHECK(error("adamw(weight_decay=-1)") == "adamw: weight_decay is -1, must be at least 0");
  CHECK(error("clip_norm(sgd, max=0)") == "clip_norm: max is 0, must be above 0");
  CHECK(error("outer_loop(sgd, sgd, mix=2)") == "outer_loop: mix is 2, must be in [0, 1]");
  CHECK(error("sgd(lr=1e999)") == "sgd: lr is inf, must be finite and at least 0");
  CHECK(message([] { lookahead(sgd(), {.k = 0}); }) == "lookahead: k is 0, must be at least 1");
  CHECK(message([] { lookahead(sgd(), {.alpha = 1.5}); }) ==
        "lookahead: alpha is 1.5, must be in [0, 1]; 1 is the plain inner optimizer");
  CHECK(message([] { sgd({.lr = -1}); }) == "sgd: lr is -1, must be at least 0");
  CHECK(message([] { clip_value(sgd(), -1); }) == "clip_value: max is -1, must be above 0");
  CHECK_THROWS_AS(parse_rule("lookahead(sgd, k=0)"), UsageError);
}
