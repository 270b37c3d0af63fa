#!/usr/bin/env python3
"""Writes viz/font_data.cpp: Inter in two weights, cut down to the characters that the pictures need.

Needs fonttools and Debian's package fonts-inter:  python3 viz/make_font.py [/usr/share/fonts/opentype/inter]
Kerning is kept. Digits are the tabular ones, so that columns of numbers line up.
"""
import io
import pathlib
import sys

from fontTools import subset
from fontTools.ttLib import TTFont

CHARACTERS = [chr(c) for c in range(0x20, 0x7F)] + list("\u00a0°±²³µ·×÷\u2013\u2014\u2018\u2019\u201c\u201d\u2022\u2026\u2190\u2192\u2212\u2265\u2264")
WEIGHTS = {"kInterRegular": "Inter-Regular.otf", "kInterSemiBold": "Inter-SemiBold.otf"}


def tabular_digits(font):
    """Glyph name -> name of the glyph of tabular width, from the font's substitution table."""
    table = font["GSUB"].table
    feature = next(r.Feature for r in table.FeatureList.FeatureRecord if r.FeatureTag == "tnum")
    mapping = {}
    for lookup in (table.LookupList.Lookup[i] for i in feature.LookupListIndex):
        for part in lookup.SubTable:
            mapping.update(getattr(part, "ExtSubTable", part).mapping)
    return mapping


def cut(path):
    font = TTFont(path)
    tabular = tabular_digits(font)
    for table in font["cmap"].tables:  # some share one mapping
        table.cmap.update({c: tabular.get(table.cmap[c], table.cmap[c]) for c in map(ord, "0123456789") if c in table.cmap})
    options = subset.Options(layout_features=["kern"], name_IDs=[], hinting=False, desubroutinize=True, notdef_outline=True)
    options.drop_tables += ["GDEF", "STAT", "DSIG"]
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=[ord(c) for c in CHARACTERS])
    cutter.subset(font)
    font["head"].modified = font["head"].created  # the same bytes at every run
    font.recalcTimestamp = False
    out = io.BytesIO()
    font.save(out)
    return out.getvalue()


def array(name, data):
    lines, line = [], ""
    for byte in data:
        if len(line) > 144:
            lines.append(line)
            line = ""
        line += f"{byte},"
    return f"const uint8_t {name}[] = {{\n" + "\n".join(lines + [line]) + f"\n}};\nconst int {name}Size = sizeof {name};\n"


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "/usr/share/fonts/opentype/inter")
    text = "// Made by viz/make_font.py: do not edit. Inter, copyright 2016-2022 The Inter Project Authors, SIL Open Font License 1.1:\n// viz/font_license.txt.\n"
    text += '// clang-format off\n#include "viz/font_data.h"\n\nnamespace tapetum::viz {\n\n'
    text += "\n".join(array(name, cut(folder / file)) for name, file in WEIGHTS.items())
    text += "\n}  // namespace tapetum::viz\n"
    (pathlib.Path(__file__).parent / "font_data.cpp").write_text(text)


if __name__ == "__main__":
    main()
