/* version.h - the only place of the version, for C, Lua and the command. */
#ifndef SZ_VERSION_H
#define SZ_VERSION_H

#define SZ_VERSION "0.2.0"

#endif
