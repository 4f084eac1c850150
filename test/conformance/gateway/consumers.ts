import assert from 'node:assert/strict'
import { bulk, type RawConnection, type TestGateway } from '../../harness/gateway.ts'

/** A message as BLPOP shows it: always eight elements. */
export function shown(
  topic: string,
  partition: number,
  offset: number,
  value: string | null,
): string {
  const content = value === null ? '$-1\r\n' : bulk(value)
  return (
    `*8\r\n${bulk('topic')}${bulk(topic)}${bulk('partition')}:${partition}\r\n` +
    `${bulk('offset')}:${offset}\r\n${bulk('value')}${content}`
  )
}

export const nothingCame = '*-1\r\n'

/** Reads from the start of the log when its group has committed nothing. */
export const earliest = '{"auto.offset.reset":"earliest"}'

/** A connection that has a name. */
export async function named(gateway: TestGateway, id: string): Promise<RawConnection> {
  const connection = await gateway.dial()
  assert.equal(await connection.command('CLIENT', 'SETNAME', id), bulk('OK'))
  return connection
}

/** Puts values into a topic's partition 0 by our own client. */
export async function put(
  gateway: TestGateway,
  topic: string,
  values: readonly (string | null)[],
  partition = 0,
): Promise<void> {
  await using producer = gateway.client.producer({ lingerMs: 0 })
  await producer.sendMany(values.map((value) => ({ topic, partition, value })))
}

/** The position that a group has committed; undefined: none. */
export async function committed(
  gateway: TestGateway,
  group: string,
  topic: string,
  partition = 0,
): Promise<number | undefined> {
  const all = await gateway.client.admin.committedOffsets(group)
  return all.find((one) => one.topic === topic && one.partition === partition)?.offset
}

/** Topic, partition, offset and value of a reply of eight. */
export function taken(reply: string): {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly value: string
} {
  const lines = reply.split('\r\n')
  assert.equal(lines[0], '*8', reply)
  return {
    topic: lines[4] ?? '',
    partition: Number(lines[7]?.slice(1)),
    offset: Number(lines[10]?.slice(1)),
    value: lines[14] ?? '',
  }
}
