# Sourced by the launchers. Java names files in the encoding of the locale. Where that is ASCII (C or POSIX, as on many
# clusters, or a locale that is not installed) it gets C's UTF-8 form, whose name depends on the system.
if [ "$(locale charmap 2>/dev/null)" = ANSI_X3.4-1968 ]; then
    utf8=$(locale -a 2>/dev/null | grep -ix -m 1 'C\.utf-\?8') && export LC_ALL=$utf8
    unset utf8
fi
