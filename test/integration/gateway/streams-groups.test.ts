import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { until } from '../../harness/until.ts'
import { openStreams, type Streams, type TestSession } from './streams-harness.ts'

type Entry = [id: string, fields: string[]]

const read = (session: TestSession, name: string, ...rest: (string | number)[]): Promise<unknown> =>
  session.run('XREADGROUP', 'GROUP', 'g', name, ...rest)

async function entriesOf(reply: Promise<unknown>): Promise<Entry[]> {
  const parts = (await reply) as [string, Entry[]][] | null
  return parts === null ? [] : parts.flatMap(([, entries]) => entries)
}

async function filled(streams: Streams, topic: string, partitions: number, count: number) {
  await streams.createTopics({ [topic]: partitions })
  const session = streams.connect()
  for (let index = 0; index < count; index++)
    await session.run('XADD', `${topic}@${index % partitions}`, '*', 'n', index)
  return session
}

async function committed(streams: Streams, topic: string): Promise<number[]> {
  const offsets = await streams.client.admin.committedOffsets('g')
  return offsets.filter((one) => one.topic === topic).map(({ offset }) => offset)
}

describe('a group', () => {
  it('is what it has committed: made, moved and destroyed', async () => {
    await using streams = await openStreams()
    const session = await filled(streams, 'orders', 2, 4)
    await assert.rejects(read(session, 'a', 'STREAMS', 'orders', '>'), {
      message: "NOGROUP No such key 'orders' or consumer group 'g' in XREADGROUP with GROUP option",
    })
    await assert.rejects(session.run('XPENDING', 'orders', 'g'), /^ReplyError: NOGROUP/)
    await assert.rejects(session.run('XINFO', 'CONSUMERS', 'orders', 'g'), /NOGROUP/)
    await assert.rejects(session.run('XGROUP', 'SETID', 'orders', 'g', '0'), /NOGROUP/)
    await assert.rejects(session.run('XGROUP', 'CREATE', 'missing', 'g', '0'), /requires the key/)
    assert.equal(await session.run('XGROUP', 'CREATE', 'orders', 'g', '0'), 'OK')
    await assert.rejects(session.run('XGROUP', 'CREATE', 'orders', 'g', '$'), {
      message: 'BUSYGROUP Consumer Group name already exists',
    })
    assert.deepEqual(await committed(streams, 'orders'), [0, 0])
    assert.equal(await session.run('XGROUP', 'SETID', 'orders', 'g', '$'), 'OK')
    assert.deepEqual(await committed(streams, 'orders'), [2, 2])
    assert.equal(await session.run('XGROUP', 'SETID', 'orders@1', 'g', '1-1'), 'OK')
    assert.deepEqual(await committed(streams, 'orders'), [2, 1])
    assert.equal(await session.run('XGROUP', 'SETID', 'orders', 'g', '@0'), 'OK')
    assert.deepEqual(await committed(streams, 'orders'), [0, 0])
    await assert.rejects(session.run('XGROUP', 'SETID', 'orders', 'g', '0-1'), /<partition>/)
    assert.equal(await session.run('XGROUP', 'DESTROY', 'orders', 'g'), 1)
    assert.equal(await session.run('XGROUP', 'DESTROY', 'orders', 'g'), 0)
    assert.equal(await session.run('XGROUP', 'CREATE', 'fresh', 'g', '$', 'MKSTREAM'), 'OK')
    assert.equal(await session.run('TYPE', 'fresh'), 'stream')
    await assert.rejects(session.run('XGROUP', 'NONSENSE'), {
      message: "ERR unknown subcommand 'NONSENSE'. Try XGROUP HELP.",
    })
    await assert.rejects(session.run('XGROUP', 'CREATE', 'orders'), {
      message: "ERR wrong number of arguments for 'xgroup|create' command",
    })
  })

  it('is read without blocking, at once and to the end', async () => {
    await using streams = await openStreams()
    const session = await filled(streams, 'orders', 2, 6)
    await session.run('XGROUP', 'CREATE', 'orders', 'g', '0')
    const first = await entriesOf(read(session, 'a', 'COUNT', 4, 'STREAMS', 'orders', '>'))
    assert.ok(first.length > 0 && first.length <= 4)
    const seen = first.map(([id]) => id)
    for (;;) {
      const more = await entriesOf(read(session, 'a', 'STREAMS', 'orders', '>'))
      if (more.length === 0) break
      seen.push(...more.map(([id]) => id))
    }
    assert.deepEqual(seen.toSorted(), ['0-1', '0-2', '0-3', '1-1', '1-2', '1-3'])
    await session.run('XADD', 'orders@1', '*', 'n', 'new')
    assert.deepEqual(await read(session, 'a', 'STREAMS', 'orders', '>'), [
      ['orders', [['1-4', ['n', 'new']]]],
    ])
    assert.equal(await read(session, 'a', 'BLOCK', 10, 'STREAMS', 'orders', '>'), null)
  })

  it('waits for entries, and ends waiting with the connection', async () => {
    await using streams = await openStreams()
    const session = await filled(streams, 'orders', 1, 0)
    await session.run('XGROUP', 'CREATE', 'orders', 'g', '$')
    const blocked = read(session, 'a', 'BLOCK', 0, 'STREAMS', 'orders', '>')
    await until('the call blocks', () => streams.part.figures!()['streams_blocked_calls'] === 1)
    const writer = streams.connect()
    await writer.run('XADD', 'orders', '*', 'n', '1')
    assert.deepEqual(await blocked, [['orders', [['0-1', ['n', '1']]]]])
    const again = read(session, 'a', 'BLOCK', 0, 'STREAMS', 'orders', '>')
    await session.close()
    assert.equal(await again, null)
  })

  it('commits the contiguous part of what was acknowledged in any order', async () => {
    await using streams = await openStreams()
    const session = await filled(streams, 'orders', 1, 5)
    await session.run('XGROUP', 'CREATE', 'orders', 'g', '0')
    assert.equal((await entriesOf(read(session, 'a', 'STREAMS', 'orders', '>'))).length, 5)
    assert.equal(await session.run('XACK', 'orders', 'g', '0-2', '0-1', '0-4'), 3)
    assert.equal(await session.run('XACK', 'orders', 'g', '0-2', '0-9', '7-1'), 0)
    await until('two are committed', async () => (await committed(streams, 'orders'))[0] === 2)
    assert.deepEqual(await session.run('XPENDING', 'orders', 'g'), [2, '0-3', '0-5', [['a', '2']]])
    assert.equal(await session.run('XACK', 'orders', 'g', '0-3'), 1)
    await until('four are committed', async () => (await committed(streams, 'orders'))[0] === 4)
    await assert.rejects(session.run('XACK', 'orders', 'g', '0-5', 'x'), /Invalid stream ID/)
    assert.equal(await session.run('XACK', 'orders', 'nobody', '0-5'), 0)
  })

  it('gives exactly the rest again to another process after a crash', async () => {
    await using streams = await openStreams()
    const session = await filled(streams, 'orders', 1, 6)
    await session.run('XGROUP', 'CREATE', 'orders', 'g', '0')
    {
      await using other = await openStreams({ beside: streams })
      const worker = other.connect()
      const entries = await entriesOf(read(worker, 'a', 'STREAMS', 'orders', '>'))
      assert.equal(entries.length, 6)
      await worker.run('XACK', 'orders', 'g', '0-1', '0-2', '0-5')
    }
    const again = await entriesOf(read(session, 'b', 'BLOCK', 10_000, 'STREAMS', 'orders', '>'))
    assert.deepEqual(
      again.map(([id]) => id),
      ['0-3', '0-4', '0-6'],
    )
  })

  it('shows a consumer what it has not acknowledged', async () => {
    await using streams = await openStreams()
    const session = await filled(streams, 'orders', 2, 4)
    await session.run('XGROUP', 'CREATE', 'orders', 'g', '0')
    const seen: Entry[] = []
    while (seen.length < 4)
      seen.push(...(await entriesOf(read(session, 'a', 'BLOCK', 5000, 'STREAMS', 'orders', '>'))))
    await session.run('XACK', 'orders', 'g', '0-1')
    assert.deepEqual(await read(session, 'a', 'STREAMS', 'orders', '0'), [
      [
        'orders',
        [
          ['0-2', ['n', '2']],
          ['1-1', ['n', '1']],
          ['1-2', ['n', '3']],
        ],
      ],
    ])
    assert.deepEqual(await read(session, 'a', 'COUNT', 1, 'STREAMS', 'orders', '1-1'), [
      ['orders', [['1-2', ['n', '3']]]],
    ])
    assert.deepEqual(await read(session, 'b', 'STREAMS', 'orders', '0'), [['orders', []]])
    const rows = (await session.run('XPENDING', 'orders', 'g', '-', '+', 10)) as unknown[][]
    assert.deepEqual(
      rows.map(([id, name, , deliveries]) => [id, name, deliveries]),
      [
        ['0-2', 'a', 2],
        ['1-1', 'a', 2],
        ['1-2', 'a', 3],
      ],
    )
  })

  it('reads one partition while others have entries', async () => {
    await using streams = await openStreams()
    const session = await filled(streams, 'orders', 2, 4)
    await session.run('XGROUP', 'CREATE', 'orders', 'g', '0')
    const only = await entriesOf(read(session, 'a', 'BLOCK', 5000, 'STREAMS', 'orders@1', '>'))
    assert.deepEqual(
      only.map(([id]) => id),
      ['1-1', '1-2'],
    )
    assert.equal(await read(session, 'a', 'BLOCK', 20, 'STREAMS', 'orders@1', '>'), null)
    assert.equal(await read(session, 'a', 'BLOCK', 300, 'STREAMS', 'orders@1', '>'), null)
    assert.equal((await entriesOf(read(session, 'a', 'STREAMS', 'orders', '>'))).length, 2)
  })

  it('needs no acknowledgement with NOACK', async () => {
    await using streams = await openStreams()
    const session = await filled(streams, 'orders', 1, 3)
    await session.run('XGROUP', 'CREATE', 'orders', 'g', '0')
    await read(session, 'a', 'NOACK', 'STREAMS', 'orders', '>')
    assert.deepEqual(await session.run('XPENDING', 'orders', 'g'), [0, null, null, null])
    await until('all are committed', async () => (await committed(streams, 'orders'))[0] === 3)
  })

  it('shares partitions between two consumers', async () => {
    await using streams = await openStreams()
    const session = await filled(streams, 'orders', 4, 0)
    await session.run('XGROUP', 'CREATE', 'orders', 'g', '0')
    const [one, two] = [streams.connect(), streams.connect()]
    const seen = { a: new Set<string>(), b: new Set<string>() }
    const done = new AbortController()
    const work = async (worker: TestSession, name: 'a' | 'b'): Promise<void> => {
      while (!done.signal.aborted) {
        const entries = await entriesOf(read(worker, name, 'BLOCK', 100, 'STREAMS', 'orders', '>'))
        for (const [id] of entries) {
          seen[name].add(id)
          await worker.run('XACK', 'orders', 'g', id)
        }
      }
    }
    const work1 = work(one, 'a')
    const work2 = work(two, 'b')
    let n = 0
    await until('both get some', async () => {
      for (let partition = 0; partition < 4; partition++)
        await session.run('XADD', `orders@${partition}`, '*', 'n', n++)
      return seen.a.size > 0 && seen.b.size > 0
    })
    await until('all was seen', () => seen.a.union(seen.b).size === n)
    done.abort()
    await Promise.all([work1, work2])
    const info = (await session.run('XINFO', 'CONSUMERS', 'orders', 'g')) as { name: string }[]
    assert.deepEqual(info.map(({ name }) => name).toSorted(), ['a', 'b'])
  })

  it('lets one consumer claim what another left, and acknowledge it', async () => {
    await using streams = await openStreams()
    const session = await filled(streams, 'orders', 1, 3)
    await session.run('XGROUP', 'CREATE', 'orders', 'g', '0')
    await read(session, 'a', 'STREAMS', 'orders', '>')
    const other = streams.connect()
    assert.deepEqual(await other.run('XCLAIM', 'orders', 'g', 'b', 3_600_000, '0-1'), [])
    assert.deepEqual(await other.run('XCLAIM', 'orders', 'g', 'b', 0, '0-1', '0-9'), [
      ['0-1', ['n', '0']],
    ])
    assert.deepEqual(await other.run('XCLAIM', 'orders', 'g', 'b', 0, '0-2', 'JUSTID'), ['0-2'])
    assert.deepEqual(await session.run('XPENDING', 'orders', 'g'), [
      3,
      '0-1',
      '0-3',
      [
        ['b', '2'],
        ['a', '1'],
      ],
    ])
    assert.deepEqual(await other.run('XAUTOCLAIM', 'orders', 'g', 'b', 0, '0', 'COUNT', 2), [
      '0-3',
      [
        ['0-1', ['n', '0']],
        ['0-2', ['n', '1']],
      ],
      [],
    ])
    assert.deepEqual(await other.run('XAUTOCLAIM', 'orders', 'g', 'b', 0, '0-3', 'JUSTID'), [
      '0-0',
      ['0-3'],
      [],
    ])
    assert.equal(await other.run('XACK', 'orders', 'g', '0-1', '0-2', '0-3'), 3)
    await until('all are committed', async () => (await committed(streams, 'orders'))[0] === 3)
    await assert.rejects(other.run('XCLAIM', 'orders', 'g', 'b', 'x', '0-1'), /min-idle-time/)
    await assert.rejects(other.run('XCLAIM', 'orders', 'g', 'b', 0, '0-1', 'WHAT'), /Unrecognized/)
  })

  it('gives claimed entries back with a deleted consumer', async () => {
    await using streams = await openStreams()
    const session = await filled(streams, 'orders', 1, 2)
    await session.run('XGROUP', 'CREATE', 'orders', 'g', '0')
    await read(session, 'a', 'STREAMS', 'orders', '>')
    assert.equal(await session.run('XGROUP', 'CREATECONSUMER', 'orders', 'g', 'b'), 1)
    assert.equal(await session.run('XGROUP', 'CREATECONSUMER', 'orders', 'g', 'b'), 0)
    await session.run('XCLAIM', 'orders', 'g', 'b', 0, '0-1')
    assert.equal(await session.run('XGROUP', 'DELCONSUMER', 'orders', 'g', 'b'), 1)
    assert.deepEqual(await session.run('XPENDING', 'orders', 'g'), [2, '0-1', '0-2', [['a', '2']]])
    await assert.rejects(session.run('XGROUP', 'SETID', 'orders', 'g', '$'), /has members/)
    await assert.rejects(session.run('XGROUP', 'DESTROY', 'orders', 'g'), /has members/)
    assert.equal(await session.run('XGROUP', 'DELCONSUMER', 'orders', 'g', 'a'), 2)
    assert.equal(await session.run('XGROUP', 'SETID', 'orders', 'g', '$'), 'OK')
  })

  it('ends the call of a consumer that is deleted, and lets it come again', async () => {
    await using streams = await openStreams()
    const session = await filled(streams, 'orders', 1, 0)
    await session.run('XGROUP', 'CREATE', 'orders', 'g', '0')
    const other = streams.connect()
    const blocked = read(session, 'a', 'BLOCK', 0, 'STREAMS', 'orders', '>')
    await until('it has joined', async () => {
      const [group] = await streams.client.admin.describeGroups(['g'])
      return group!.members.length === 1
    })
    await other.run('XGROUP', 'DELCONSUMER', 'orders', 'g', 'a')
    assert.equal(await blocked, null)
    await until('the group is empty', async () => {
      const [group] = await streams.client.admin.describeGroups(['g'])
      return group!.members.length === 0
    })
    await other.run('XADD', 'orders', '*', 'n', '1')
    assert.deepEqual(await read(session, 'a', 'STREAMS', 'orders', '>'), [
      ['orders', [['0-1', ['n', '1']]]],
    ])
  })

  it('tells its streams, groups with their lag, and consumers', async () => {
    await using streams = await openStreams()
    const session = await filled(streams, 'orders', 2, 5)
    await session.run('XGROUP', 'CREATE', 'orders', 'g', '0')
    await session.run('XGROUP', 'CREATE', 'orders', 'other', '$')
    assert.deepEqual(await session.run('XINFO', 'STREAM', 'orders'), {
      length: 5,
      'last-generated-id': '1-2',
      groups: 2,
      'first-entry': ['0-1', ['n', '0']],
      'last-entry': ['1-2', ['n', '3']],
      partitions: 2,
    })
    await read(session, 'a', 'COUNT', 1, 'STREAMS', 'orders', '>')
    const [g, other] = (await session.run('XINFO', 'GROUPS', 'orders')) as Record<string, unknown>[]
    assert.deepEqual([g!['name'], g!['lag'], g!['pending'], g!['consumers']], ['g', 5, 1, 1])
    assert.deepEqual([other!['name'], other!['lag']], ['other', 0])
    assert.deepEqual(other!['positions'], ['0-3', '1-2'])
    await assert.rejects(session.run('XINFO', 'STREAM', 'missing'), /ERR no such key/)
  })

  it('answers blocked calls when draining, commits and leaves', async () => {
    await using streams = await openStreams()
    const session = await filled(streams, 'orders', 1, 2)
    await session.run('XGROUP', 'CREATE', 'orders', 'g', '0')
    await read(session, 'a', 'STREAMS', 'orders', '>')
    await session.run('XACK', 'orders', 'g', '0-1')
    const blocked = read(session, 'a', 'BLOCK', 0, 'STREAMS', 'orders', '>')
    await until('the call blocks', () => streams.part.figures!()['streams_blocked_calls'] === 1)
    await streams.drain()
    assert.equal(await blocked, null)
    assert.deepEqual(await committed(streams, 'orders'), [1])
    const [group] = await streams.client.admin.describeGroups(['g'])
    assert.equal(group!.state, 'Empty')
    assert.equal(await read(session, 'a', 'STREAMS', 'orders', '>'), null)
  })

  it('takes acknowledgements of what was handed out before it leaves', async () => {
    await using streams = await openStreams()
    const session = await filled(streams, 'orders', 1, 2)
    await session.run('XGROUP', 'CREATE', 'orders', 'g', '0')
    await read(session, 'a', 'STREAMS', 'orders', '>')
    const drained = streams.drain()
    assert.equal(await session.run('XACK', 'orders', 'g', '0-1', '0-2'), 2)
    await drained
    assert.deepEqual(await committed(streams, 'orders'), [2])
  })
})
