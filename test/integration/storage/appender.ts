/**
 * A process that appends until it is killed. Arguments: folder, first sequence. Each line on stdout is one
 * acknowledged batch: partition, sequence, offset. Everything runs as one idempotent producer per partition.
 */
import { writeSync } from 'node:fs'
import { openLogStore } from '../../../packages/millrace/src/storage/index.ts'
import { appendSequenced, folderOptions, partitions, topic } from './numbered-batches.ts'

const [folder = '', ...sequences] = process.argv.slice(2)
const store = await openLogStore({ folder, ...folderOptions })
if (!store.topic(topic)) await store.createTopic({ name: topic, partitions })
const next = sequences.map(Number)

for (;;) {
  const sent: { partition: number; sequence: number; offset: number }[] = []
  for (let count = 0; count < 5; count++) {
    for (let partition = 0; partition < partitions; partition++) {
      const sequence = next[partition] ?? 0
      const offset = appendSequenced(store, partition, sequence)
      sent.push({ partition, sequence, offset })
      next[partition] = sequence + 1
    }
  }
  await store.written()
  const lines = sent.map(
    ({ partition, sequence, offset }) => `${partition} ${sequence} ${offset}\n`,
  )
  writeSync(1, lines.join(''))
}
