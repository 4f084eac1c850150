import { isFailure } from '../../errors/index.ts'
import type { EncodedMessage, Sent } from '../ports.ts'

/** Headers that may go before a letter is given up as too large; key and value never do. */
const droppable = [
  'millrace-error-stack',
  'millrace-error-message',
  'millrace-last-error-stack',
  'millrace-last-error-message',
]

/**
 * Sends a letter, and makes do with what the topic is: fewer partitions than the source (then by the key), or a
 * limit that the added headers exceed (then without the error's texts).
 */
export async function sendLetter(
  letter: EncodedMessage,
  send: (message: EncodedMessage) => Promise<Sent>,
): Promise<Sent> {
  try {
    return await send(letter)
  } catch (error) {
    if (isFailure(error, 'MR_PARTITION_UNKNOWN') && letter.partition !== undefined) {
      const { partition: _, ...byKey } = letter
      return sendLetter(byKey, send)
    }
    const shorter = isFailure(error, 'MR_PRODUCER_MESSAGE_TOO_LARGE')
      ? withoutTexts(letter)
      : letter
    if (shorter === letter) throw error
    return sendLetter(shorter, send)
  }
}

function withoutTexts(letter: EncodedMessage): EncodedMessage {
  const headers = letter.headers ?? []
  const kept = headers.filter(([name]) => !droppable.includes(name))
  return kept.length === headers.length ? letter : { ...letter, headers: kept }
}
