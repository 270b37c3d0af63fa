# JPEG, PNG and gzip, or one file that says what this build lacks.
if(TAPETUM_IMAGE_FILES)
  target_sources(tapetum PRIVATE data/codec_gzip.cpp data/codec_jpeg.cpp data/codec_png.cpp)
  target_link_libraries(tapetum PRIVATE JPEG::JPEG PNG::PNG ZLIB::ZLIB)
else()
  target_sources(tapetum PRIVATE data/codec_none.cpp)
endif()
