// study: a leaderboard in miniature as a function, so that a program with rules of its own has it too:
//
//   #include <tandem/optim/leaf.h>
//   #include "study/study.h"
//   int main(int argc, char** argv) {
//     tandem::register_leaf<Mine>();          // takes part as mine(), at its default learning rate
//     return tandem::study::run(argc, argv);
//   }
//
// Read next: tasks.h, what rules are tried on; trial.h, the loop; findings.h, what is made of it.
#pragma once

namespace tandem::study {

/// The program `study`: reads its command line, runs what is open, writes the results. Returns the exit code; prints
/// what went wrong in one line.
int run(int argc, char** argv);

}  // namespace tandem::study
