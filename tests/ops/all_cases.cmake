# all_cases_header(FILE) writes a header that includes every <family>_cases.h and lists their rows as `all_cases`, so that a new family is
# timed and profiled without being named there.
function(all_cases_header file)
  file(GLOB headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/tests/ops/*_cases.h)
  set(includes "#pragma once\n")
  set(rows "")
  foreach(header ${headers})
    get_filename_component(cases ${header} NAME_WE)
    string(APPEND includes "#include \"${header}\"\n")
    string(APPEND rows "    &tapetum::test::${cases},\n")
  endforeach()
  file(CONFIGURE OUTPUT ${file} CONTENT "${includes}inline const std::vector<tapetum::test::Case>* const all_cases[] = {\n${rows}};\n")
endfunction()
