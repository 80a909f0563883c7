/*
** raws.h - finds the raw values of a row that is known to be JSON. No Lua
** here.
*/
#ifndef SZ_RAWS_H
#define SZ_RAWS_H

#include "slot.h"

/*
** 'raws' gets the raw values of the first 'cells' cells, texts with their
** quotes. If a cell has rawValue twice, the last one counts. Returns how many
** cells the row has.
*/
size_t sz_raws_find(const char *text, size_t len, struct sz_raw *raws,
                    size_t cells);

#endif
