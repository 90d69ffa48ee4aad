/* SPDX-License-Identifier: Apache-2.0 */
#include "dict/dict.h"

#include <stdint.h>

#define FILE_OF(name, file)						\
	__asm__(".section .rodata\n"					\
	    #name "_begin:\n.incbin \"" DATA_DIR "/" file "\"\n"	\
	    #name "_end:\n.byte 0\n.balign 8\n"			\
	    #name "_size:\n.quad " #name "_end - " #name "_begin\n"	\
	    ".previous\n");						\
	extern const char name##_begin[];				\
	extern const uint64_t name##_size;				\
	struct dict_file						\
	name(void)							\
	{								\
		return (struct dict_file){name##_begin, name##_size};	\
	}

FILE_OF(dict_towns, "towns.tsv")
FILE_OF(dict_towns_2022, "towns-2022.tsv")
FILE_OF(dict_towns_detail, "towns-detail.tsv")
FILE_OF(dict_mergers, "mergers.csv")
FILE_OF(dict_surnames, "surnames.csv")
FILE_OF(dict_surnames_more, "surnames-more.tsv")
FILE_OF(dict_given_m, "given-m.csv")
FILE_OF(dict_given_f, "given-f.csv")
