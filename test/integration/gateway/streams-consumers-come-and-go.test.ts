import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { manualClock, type ManualClock } from '../../../packages/millrace/src/kit/index.ts'
import { until } from '../../harness/until.ts'
import { openStreams, type Streams, type TestSession } from './streams-harness.ts'

const read = (session: TestSession, name: string, ...rest: (string | number)[]): Promise<unknown> =>
  session.run('XREADGROUP', 'GROUP', 'g', name, ...rest)

async function prepared(
  clock: ManualClock,
  count: number,
): Promise<{ streams: Streams; session: TestSession }> {
  const streams = await openStreams({ clock })
  await streams.createTopics({ orders: 1 })
  const session = streams.connect()
  await Promise.all(
    Array.from({ length: count }, (_, index) => session.run('XADD', 'orders', '*', 'n', index)),
  )
  await session.run('XGROUP', 'CREATE', 'orders', 'g', '0')
  return { streams, session }
}

async function members(streams: Streams): Promise<number> {
  const [group] = await streams.client.admin.describeGroups(['g'])
  return group!.members.length
}

async function committed(streams: Streams): Promise<number> {
  const [first] = await streams.client.admin.committedOffsets('g')
  return first!.offset
}

describe('a Streams consumer', () => {
  it('stays for 30 s when its last connection closes, with what is pending', async () => {
    const clock = manualClock()
    const { streams, session } = await prepared(clock, 3)
    await using _ = streams
    await read(session, 'a', 'STREAMS', 'orders', '>')
    await session.run('XACK', 'orders', 'g', '0-1')
    await session.close()
    await clock.advanceAsync(29_000)
    assert.equal(await members(streams), 1)

    const next = streams.connect()
    assert.deepEqual(await read(next, 'a', 'STREAMS', 'orders', '0'), [
      [
        'orders',
        [
          ['0-2', ['n', '1']],
          ['0-3', ['n', '2']],
        ],
      ],
    ])
    await clock.advanceAsync(60_000)
    assert.equal(await members(streams), 1, 'a connection uses it')
    await next.run('XACK', 'orders', 'g', '0-2')
    await next.close()
    await clock.advanceAsync(30_000)
    await until('it has left', async () => (await members(streams)) === 0)
    assert.equal(await committed(streams), 2)
    const last = streams.connect()
    assert.deepEqual(await read(last, 'b', 'STREAMS', 'orders', '>'), [
      ['orders', [['0-3', ['n', '2']]]],
    ])
    assert.deepEqual(
      ((await last.run('XINFO', 'CONSUMERS', 'orders', 'g')) as { name: string }[]).map(
        ({ name }) => name,
      ),
      ['b'],
    )
  })

  it('leaves when nobody has named it for max.poll.interval, and joins again', async () => {
    const clock = manualClock()
    const { streams, session } = await prepared(clock, 2)
    await using _ = streams
    await read(session, 'a', 'STREAMS', 'orders', '>')
    await clock.advanceAsync(299_000)
    assert.equal(await session.run('XACK', 'orders', 'g', '0-1'), 1)
    await clock.advanceAsync(299_000)
    assert.equal(await members(streams), 1, 'an acknowledgement is a use')
    await clock.advanceAsync(1000)
    await until('it has left', async () => (await members(streams)) === 0)
    assert.equal(await committed(streams), 1)
    assert.deepEqual(await read(session, 'a', 'STREAMS', 'orders', '>'), [
      ['orders', [['0-2', ['n', '1']]]],
    ])
  })

  it('stays while a call blocks, however long', async () => {
    const clock = manualClock()
    const { streams, session } = await prepared(clock, 0)
    await using _ = streams
    const blocked = read(session, 'a', 'BLOCK', 0, 'STREAMS', 'orders', '>')
    await until('it has joined', async () => (await members(streams)) === 1)
    await until('it blocks', () => clock.waiting > 0)
    for (let minute = 0; minute < 12; minute++) await clock.advanceAsync(60_000)
    assert.equal(await members(streams), 1)
    await streams.connect().run('XADD', 'orders', '*', 'n', '1')
    assert.deepEqual(await blocked, [['orders', [['0-1', ['n', '1']]]]])
  })

  it('hands out nothing new at 10,000 entries that wait, until one is acknowledged', async () => {
    const clock = manualClock()
    const { streams, session } = await prepared(clock, 10_050)
    await using _ = streams
    let got = 0
    while (got < 10_000) {
      const [[, entries]] = (await read(session, 'a', 'STREAMS', 'orders', '>')) as [
        [string, unknown[]],
      ]
      got += entries.length
    }
    assert.equal(got, 10_000)
    const other = streams.connect()
    const blocked = read(session, 'a', 'BLOCK', 0, 'STREAMS', 'orders', '>')
    await until('it blocks', () => streams.part.figures!()['streams_blocked_calls'] === 1)
    await clock.advanceAsync(1000)
    assert.equal(await other.run('XACK', 'orders', 'g', '0-7'), 1)
    await clock.advanceAsync(1000)
    assert.deepEqual(await blocked, [['orders', [['0-10001', ['n', '10000']]]]])
  })

  it('tells how long entries have waited, and lets claims go by it', async () => {
    const clock = manualClock()
    const { streams, session } = await prepared(clock, 2)
    await using _ = streams
    await read(session, 'a', 'STREAMS', 'orders', '>')
    await clock.advanceAsync(5000)
    await session.run('XCLAIM', 'orders', 'g', 'b', 5000, '0-2')
    await clock.advanceAsync(1000)
    assert.deepEqual(await session.run('XPENDING', 'orders', 'g', '-', '+', 10), [
      ['0-1', 'a', 6000, 1],
      ['0-2', 'b', 1000, 2],
    ])
    assert.deepEqual(await session.run('XPENDING', 'orders', 'g', 'IDLE', 2000, '-', '+', 10), [
      ['0-1', 'a', 6000, 1],
    ])
    assert.deepEqual(await session.run('XPENDING', 'orders', 'g', '-', '+', 10, 'b'), [
      ['0-2', 'b', 1000, 2],
    ])
    assert.deepEqual(await session.run('XPENDING', 'orders', 'g', '(0-1', '0-2', 10), [
      ['0-2', 'b', 1000, 2],
    ])
    await session.run('XCLAIM', 'orders', 'g', 'a', 0, '0-1', 'IDLE', 7000, 'RETRYCOUNT', 9)
    assert.deepEqual(await session.run('XPENDING', 'orders', 'g', '-', '0-1', 10), [
      ['0-1', 'a', 7000, 9],
    ])
  })

  it('keeps its entries when another comes to the group and takes no partition of its own', async () => {
    const clock = manualClock()
    const { streams, session } = await prepared(clock, 2)
    await using _ = streams
    await read(session, 'a', 'STREAMS', 'orders', '>')
    const other = streams.connect()
    const blocked = read(other, 'b', 'BLOCK', 0, 'STREAMS', 'orders', '>')
    await until('both are members', async () => (await members(streams)) === 2)
    assert.equal(await session.run('XACK', 'orders', 'g', '0-1', '0-2'), 2)
    await clock.advanceAsync(1000)
    await until('it is committed', async () => (await committed(streams)) === 2)
    await other.close()
    assert.equal(await blocked, null)
  })

  it('reads a second topic later without losing the first', async () => {
    const clock = manualClock()
    const { streams, session } = await prepared(clock, 1)
    await using _ = streams
    await read(session, 'a', 'STREAMS', 'orders', '>')
    await streams.createTopics({ events: 1 })
    await assert.rejects(read(session, 'a', 'STREAMS', 'events', '>'), /NOGROUP/)
    await assert.rejects(session.run('XGROUP', 'SETID', 'orders', 'g', '0'), /has members/)
    assert.equal(await session.run('XGROUP', 'CREATE', 'events', 'g', '0'), 'OK')
    await assert.rejects(session.run('XGROUP', 'CREATE', 'events', 'g', '0'), /BUSYGROUP/)
    await session.run('XADD', 'events', '*', 'n', 'x')
    const blocked = read(session, 'a', 'BLOCK', 0, 'STREAMS', 'events', 'orders', '>', '>')
    assert.deepEqual(await blocked, [['events', [['0-1', ['n', 'x']]]]])
    assert.deepEqual(await session.run('XPENDING', 'orders', 'g'), [1, '0-1', '0-1', [['a', '1']]])
  })
})
