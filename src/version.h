/* version.h - the version's only place: C, Lua and the command read it here. */
#ifndef SZ_VERSION_H
#define SZ_VERSION_H

#define SZ_VERSION "0.2.0"

#endif
