// study: every rule of Tandem on six small tasks, as it comes and tuned. See study.h.
//   study --minutes 10
#include "study.h"

int main(int argc, char** argv) { return tandem::study::run(argc, argv); }
