/* SPDX-License-Identifier: Apache-2.0 */
#include "merkle/tile.h"

#include <stdio.h>
#include <string.h>

size_t
tile_path(char out[TILE_PATH_MAX], const struct tile *t)
{
	unsigned group[7];
	uint64_t n = t->n;
	size_t k = 0, len;

	do
		group[k++] = (unsigned)(n % 1000);
	while ((n /= 1000) > 0);
	if (t->level == TILE_ENTRIES)
		len = (size_t)sprintf(out, "tile/entries");
	else
		len = (size_t)sprintf(out, "tile/%d", t->level);
	while (k-- > 0)
		len += (size_t)sprintf(out + len, k > 0 ? "/x%03u" : "/%03u",
		    group[k]);
	if (t->width < TILE_WIDTH)
		sprintf(out + len, ".p/%u", t->width);
	return len;
}

/* Parses loosely, then insists that this is how tile_path() writes it. */
bool
tile_parse(struct tile *out, const char *path)
{
	struct tile t = {TILE_ENTRIES, 0, TILE_WIDTH};
	char again[TILE_PATH_MAX];
	const char *p = path;

	if (strlen(path) >= sizeof again || strncmp(p, "tile/", 5) != 0)
		return false;
	p += 5;
	if (strncmp(p, "entries", 7) == 0) {
		p += 7;
	} else {
		if (*p < '0' || *p >= '0' + TILE_LEVELS)
			return false;
		t.level = *p++ - '0';
	}
	while (*p == '/') {
		p += p[1] == 'x' ? 2 : 1;
		for (int i = 0; i < 3; i++, p++) {
			if (*p < '0' || *p > '9' || t.n > UINT64_MAX / 16)
				return false;
			t.n = t.n * 10 + (uint64_t)(*p - '0');
		}
	}
	if (strncmp(p, ".p/", 3) == 0) {
		t.width = 0;
		for (p += 3; *p >= '0' && *p <= '9' && t.width < TILE_WIDTH; p++)
			t.width = t.width * 10 + (unsigned)(*p - '0');
		if (t.width == 0 || t.width >= TILE_WIDTH)
			return false;
	}
	tile_path(again, &t);
	if (*p != 0 || strcmp(path, again) != 0)
		return false;
	*out = t;
	return true;
}

uint64_t
tile_hashes(uint64_t size, int level)
{
	return level <= 0 ? size : size >> (8 * level);
}

unsigned
tile_width(uint64_t size, int level, uint64_t n)
{
	uint64_t hashes = tile_hashes(size, level);

	if (n < hashes / TILE_WIDTH)
		return TILE_WIDTH;
	return n == hashes / TILE_WIDTH ? (unsigned)(hashes % TILE_WIDTH) : 0;
}

void
tile_of(unsigned level, uint64_t index, struct tile *t, unsigned *first,
    unsigned *count)
{
	uint64_t at = index << (level % 8);

	t->level = (int)(level / 8);
	t->n = at / TILE_WIDTH;
	t->width = TILE_WIDTH;
	*first = (unsigned)(at % TILE_WIDTH);
	*count = 1u << (level % 8);
}

void
tile_fold(struct merkle_hash *out, const struct merkle_hash *h, unsigned count)
{
	struct merkle_hash tmp[TILE_WIDTH];

	memcpy(tmp, h, count * sizeof *h);
	for (; count > 1; count /= 2)
		for (unsigned i = 0; i < count / 2; i++)
			merkle_node(&tmp[i], &tmp[2 * i], &tmp[2 * i + 1]);
	*out = tmp[0];
}
