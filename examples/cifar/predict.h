// What a trained classifier is used for: measuring it on a test set, and naming what is on a picture. The model file
// says which classes it knows, and how its pictures were normalised and how large they were.
#pragma once

#include <functional>
#include <string>

#include <tandem/data/loader.h>
#include <tandem/nn/module.h>
#include <tandem/train/train.h>

namespace cifar {

using Measure = tandem::train::Metrics (*)(tandem::nn::Module& model, tandem::Loader& loader, const std::string& part);

/// The models of --evaluate on the test set of the run, or of --data. Classes are matched by name. Throws Error when a
/// class of the data is not one of the model's, or pictures have another size.
int evaluate(const tandem::train::CommandLine& line, Measure measure);

/// Classes and probabilities of the files of --predict, by the model of --init or those of --evaluate.
int predict(const tandem::train::Options& options);

}  // namespace cifar
