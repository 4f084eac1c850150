import { ReplyError } from '../reply.ts'

/** What a key names: a topic, or one partition of it (`topic@partition`). */
export interface StreamKey {
  /** As it was written: replies name streams by it. */
  readonly text: string
  readonly topic: string
  /** Undefined: the whole topic. */
  readonly partition: number | undefined
}

const topicPattern = /^[a-zA-Z0-9._-]{1,249}$/
const partitionPattern = /^\d{1,10}$/
const largestPartition = 2_147_483_647

/** The last one: pipelines name the same key again and again. */
let lastBytes: Buffer = Buffer.alloc(0)
let lastKey: StreamKey | undefined

/** A name that Kafka would refuse is refused with the text that producing to it gives. @throws ReplyError */
export function parseStreamKey(bytes: Buffer): StreamKey {
  if (lastKey !== undefined && isSame(bytes, lastBytes)) return lastKey
  lastKey = read(bytes)
  lastBytes = Buffer.from(bytes)
  return lastKey
}

function isSame(left: Buffer, right: Buffer): boolean {
  if (left.length !== right.length) return false
  for (let index = 0; index < left.length; index++) if (left[index] !== right[index]) return false
  return true
}

function read(bytes: Buffer): StreamKey {
  const text = bytes.toString('utf8')
  // Names of topics have no @, so the first one parts.
  const mark = text.indexOf('@')
  const topic = mark < 0 ? text : text.slice(0, mark)
  if (!topicPattern.test(topic) || topic === '.' || topic === '..')
    throw new ReplyError('ERR Local: Invalid argument or configuration')
  if (mark < 0) return { text, topic, partition: undefined }
  const number = text.slice(mark + 1)
  if (!partitionPattern.test(number) || Number(number) > largestPartition)
    throw new ReplyError(`ERR invalid partition in '${text}', a key is topic or topic@partition`)
  return { text, topic, partition: Number(number) }
}
