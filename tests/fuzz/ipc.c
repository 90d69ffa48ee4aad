/* SPDX-License-Identifier: Apache-2.0 */
/* Framing of the messages between gate and ledger: what a hostile gate sends. */
#include <stddef.h>
#include <stdint.h>

#include "ipc/ipc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ipc_msg m;
	size_t used;

	while (ipc_next(&m, data, size, &used) == ERR_OK) {
		must(used >= IPC_HEAD_BYTES && used <= size);
		must(m.body.left == used - IPC_HEAD_BYTES);
		must(ipc_name(m.type) != NULL);
		data += used;
		size -= used;
	}
	return 0;
}
