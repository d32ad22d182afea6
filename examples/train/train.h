// All of tandem::train: what a program of one's own includes. Read first: run.h.
#pragma once

#include <tandem/train/command_line.h>
#include <tandem/train/comparison.h>
#include <tandem/train/images.h>
#include <tandem/train/predict_classes.h>
#include <tandem/train/profile_log.h>
#include <tandem/train/program.h>
#include <tandem/train/ranks.h>
#include <tandem/train/run.h>
#include <tandem/train/saved_models.h>
