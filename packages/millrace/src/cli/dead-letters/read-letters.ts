import { isChosen, readLetter, type Letter, type LetterChoice } from '../../app/index.ts'
import type { ClientMessage } from '../../client/index.ts'
import type { Cluster } from '../cluster.ts'

export interface FoundLetter {
  readonly raw: ClientMessage
  readonly letter: Letter
}

const takenAtOnce = 500

/** The chosen letters of a topic as it is now, in no order between partitions. */
export async function* readLetters(
  { client }: Cluster,
  topic: string,
  choice: LetterChoice,
  signal: AbortSignal,
): AsyncGenerator<FoundLetter, void, undefined> {
  const { partitions } = choice
  await using reader = client.reader(
    partitions === undefined
      ? { topics: [topic] }
      : { partitions: partitions.map((partition) => ({ topic, partition })) },
  )
  while (await reader.available(signal)) {
    for (const raw of reader.take(takenAtOnce)) {
      const letter = readLetter(raw)
      if (isChosen(raw, letter, choice)) yield { raw, letter }
    }
  }
}
