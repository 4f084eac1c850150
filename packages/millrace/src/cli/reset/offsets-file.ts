import { readFile, writeFile } from 'node:fs/promises'

import { failure } from '../../errors/index.ts'

/** `topic,partition,offset` a line, as kafka-consumer-groups --export writes it. */
export interface FileOffset {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** @throws MR_CLI_FILE with the line that cannot be read */
export function parseOffsetsFile(path: string, text: string): readonly FileOffset[] {
  const offsets: FileOffset[] = []
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '') continue
    // Kafka's script quotes names; topic names hold neither quotes nor commas.
    const [, topic, partition, offset] = /^"?([^",]+)"?,(\d+),(\d+)$/.exec(line.trim()) ?? []
    if (topic === undefined)
      throw failure('MR_CLI_FILE', {
        path,
        reason: `line ${index + 1} is not topic,partition,offset`,
      })
    offsets.push({ topic, partition: Number(partition), offset: Number(offset) })
  }
  return offsets
}

/** @throws MR_CLI_FILE */
export async function readOffsetsFile(path: string): Promise<readonly FileOffset[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw failure('MR_CLI_FILE', { path, reason: error.code ?? error.message }, { cause: error })
  })
  return parseOffsetsFile(path, text)
}

export async function writeOffsetsFile(
  path: string,
  offsets: readonly FileOffset[],
): Promise<void> {
  const lines = offsets.map(({ topic, partition, offset }) => `${topic},${partition},${offset}\n`)
  await writeFile(path, lines.join('')).catch((error: NodeJS.ErrnoException) => {
    throw failure('MR_CLI_FILE', { path, reason: error.code ?? error.message }, { cause: error })
  })
}
