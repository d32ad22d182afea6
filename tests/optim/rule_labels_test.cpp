// Arguments of specs by path, and labels by what differs.
#include "support.h"

using namespace support;

TEST_CASE("the arguments of a spec") {
  using Map = std::map<std::string, std::string>;
  CHECK(rule_arguments("lookahead(momentum(lr=0.1 * cosine(warmup=2, total=9), momentum=0.9, nesterov), k=5)") ==
        Map{{"rule", "lookahead(momentum)"},
            {"lr", "0.1 * cosine(warmup=2, total=9)"},
            {"momentum", "0.9"},
            {"nesterov", "true"},
            {"k", "5"}});
  CHECK(rule_arguments("lookahead(lookahead(adam, k=2), k=4, adaptive)") ==
        Map{{"rule", "lookahead(lookahead(adam))"}, {"inner/k", "2"}, {"k", "4"}, {"adaptive", "true"}});
  CHECK(rule_arguments("outer_loop(adamw, momentum(lr=0.7), k=5)") ==
        Map{{"rule", "outer_loop(adamw, momentum)"}, {"outer/lr", "0.7"}, {"k", "5"}});
  CHECK(rule_arguments("adam") == Map{{"rule", "adam"}});
  CHECK(rule_arguments("odd(") == Map{{"rule", "odd("}});
}

TEST_CASE("labels tell optimizers apart with as little as possible") {
  using Labels = std::vector<std::string>;
  CHECK(distinguishing_labels({"lookahead(sgd(lr=1), k=5, alpha=0.2)", "lookahead(sgd(lr=1), k=5, alpha=0.5)",
                               "lookahead(sgd(lr=1), k=10, alpha=0.2)"}) ==
        Labels{"k=5 alpha=0.2", "k=5 alpha=0.5", "k=10 alpha=0.2"});
  CHECK(distinguishing_labels({"lookahead(momentum(lr=0.1), k=5)", "momentum(lr=0.1)", "momentum(lr=0.08)"}) ==
        Labels{"lookahead(momentum)", "momentum lr=0.1", "momentum lr=0.08"});
  CHECK(distinguishing_labels({"lookahead(sgd(lr=1), k=5)", "lookahead(adam(lr=1), k=5)"}) ==
        Labels{"lookahead(sgd)", "lookahead(adam)"});
  CHECK(distinguishing_labels({"adam(lr=0.1 * cosine(warmup=2, total=9))", "adam(lr=0.2)"}) ==
        Labels{"lr=0.1 * cosine(warmup=2, total=9)", "lr=0.2"});
  CHECK(distinguishing_labels({"lookahead(lookahead(sgd, k=2), k=4)", "lookahead(lookahead(sgd, k=2), k=6)"}) ==
        Labels{"k=4", "k=6"});
  CHECK(distinguishing_labels({"lookahead(lookahead(sgd, k=2), k=4)", "lookahead(lookahead(sgd, k=3), k=4)"}) ==
        Labels{"inner/k=2", "inner/k=3"});
  CHECK(distinguishing_labels({"momentum(lr=0.1)", "momentum(lr=0.1, nesterov)"}) ==
        Labels{"momentum", "momentum nesterov"});
  CHECK(distinguishing_labels({"sgd(lr=1)", "sgd(lr=1)"}) == Labels{"sgd", "sgd (2)"});
  CHECK(distinguishing_labels({"odd(", "odd)"}) == Labels{"odd(", "odd)"});
  CHECK(distinguishing_labels({"adam(lr=1)"}) == Labels{"adam"});
  CHECK(distinguishing_labels({}).empty());
}
