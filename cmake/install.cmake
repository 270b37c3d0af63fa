include(CMakePackageConfigHelpers)
install(CODE "
  include(${PROJECT_SOURCE_DIR}/cmake/public_headers.cmake)
  tapetum_public_headers(${PROJECT_SOURCE_DIR} \$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_INCLUDEDIR}/tapetum \"${TAPETUM_FOLDERS}\")")
install(TARGETS tapetum tapetum_headers EXPORT tapetum)
install(EXPORT tapetum NAMESPACE tapetum:: FILE tapetum-targets.cmake DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tapetum)
if(TAPETUM_IMAGE_FILES)
  set(codecs "find_dependency(JPEG)\nfind_dependency(PNG)\nfind_dependency(ZLIB)\n")
endif()
file(WRITE ${PROJECT_BINARY_DIR}/tapetum-config.cmake
     "include(CMakeFindDependencyMacro)\nfind_dependency(Threads)\nfind_dependency(fmt)\n${codecs}find_dependency(nlohmann_json)\ninclude(\${CMAKE_CURRENT_LIST_DIR}/tapetum-targets.cmake)\n")
write_basic_package_version_file(${PROJECT_BINARY_DIR}/tapetum-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/tapetum-config.cmake ${PROJECT_BINARY_DIR}/tapetum-config-version.cmake DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tapetum)
