// A folder of folders, one for each class: root/cat/1.jpg, root/dog/2.jpg. The layout and the order are torchvision's.
#pragma once
#include <string>

#include "data/labelled_files.h"

namespace tapetum::data {

// Classes are the subfolders' names, and samples the image files at any depth below them, both in plain order of their bytes ("10" before
// "2"). What begins with a dot is left out; links to folders are followed at the top only. Throws IoError when a folder cannot be read, and
// FormatError for a class without images and for images beside the class folders.
class ImageFolder : public LabelledFiles {
 public:
  explicit ImageFolder(const std::string& root, const ImageFileOptions& options = {});
};

}  // namespace tapetum::data
