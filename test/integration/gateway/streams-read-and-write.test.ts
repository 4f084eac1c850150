import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { until } from '../../harness/until.ts'
import { openStreams } from './streams-harness.ts'

describe('streams without groups', () => {
  it('write entries, count them and read ranges back', async () => {
    await using streams = await openStreams()
    await streams.createTopics({ orders: 2 })
    const session = streams.connect()
    const ids = await Promise.all(
      Array.from({ length: 5 }, (_, index) =>
        session.run('XADD', `orders@${index % 2}`, '*', 'n', `${index}`),
      ),
    )
    assert.deepEqual(ids, ['0-1', '1-1', '0-2', '1-2', '0-3'])
    assert.equal(await session.run('XLEN', 'orders'), 5)
    assert.equal(await session.run('XLEN', 'orders@1'), 2)
    assert.equal(await session.run('XLEN', 'missing'), 0)

    const all = [
      ['0-1', ['n', '0']],
      ['0-2', ['n', '2']],
      ['0-3', ['n', '4']],
      ['1-1', ['n', '1']],
      ['1-2', ['n', '3']],
    ]
    assert.deepEqual(await session.run('XRANGE', 'orders', '-', '+'), all)
    assert.deepEqual(await session.run('XREVRANGE', 'orders', '+', '-'), all.toReversed())
    assert.deepEqual(await session.run('XRANGE', 'orders', '-', '+', 'COUNT', '2'), all.slice(0, 2))
    assert.deepEqual(await session.run('XRANGE', 'orders', '0-2', '1-1'), all.slice(1, 4))
    assert.deepEqual(await session.run('XRANGE', 'orders', '(0-2', '(1-2'), all.slice(2, 4))
    assert.deepEqual(await session.run('XRANGE', 'orders', '(0-3', '0'), [])
    assert.deepEqual(await session.run('XRANGE', 'orders', '0', '0'), all.slice(0, 3))
    assert.deepEqual(
      await session.run('XREVRANGE', 'orders', '1-1', '-', 'COUNT', '3'),
      all.slice(1, 4).toReversed(),
    )
    assert.deepEqual(await session.run('XRANGE', 'orders@1', '-', '+'), all.slice(3))
    assert.deepEqual(await session.run('XRANGE', 'orders', '@0', '+'), all)
    assert.deepEqual(await session.run('XRANGE', 'orders', '-', '@1'), [])
    assert.deepEqual(await session.run('XRANGE', 'missing', '-', '+'), [])
  })

  it('answer a repeated token with the first id, and write once', async () => {
    await using streams = await openStreams()
    await streams.createTopics({ orders: 1 })
    const session = streams.connect()
    const add = (): Promise<unknown> =>
      session.run('XADD', 'orders', '*', '@id', 'token-1', 'n', '1')
    assert.deepEqual(await Promise.all([add(), add()]), ['0-1', '0-1'])
    assert.equal(await add(), '0-1')
    assert.equal(await session.run('XLEN', 'orders'), 1)
  })

  it('refuse what a log cannot do, in clear words', async () => {
    await using streams = await openStreams()
    await streams.createTopics({ orders: 1 })
    const session = streams.connect()
    const refused = async (text: RegExp, name: string, ...args: string[]): Promise<void> => {
      await assert.rejects(
        session.run(name, ...args),
        { message: text },
        `${name} ${args.join(' ')}`,
      )
    }
    await refused(/^ERR wrong number of arguments for 'xadd' command$/, 'XADD', 'orders', '*', 'n')
    await refused(/^ERR wrong number of arguments for 'xadd'/, 'XADD', 'orders', '*', 'a', 'b', 'c')
    await refused(/use \*$/, 'XADD', 'orders', '1-1', 'a', 'b')
    await refused(/Invalid stream ID/, 'XADD', 'orders', 'x', 'a', 'b')
    await refused(/use ~/, 'XADD', 'orders', 'MAXLEN', '10', '*', 'a', 'b')
    await refused(/use ~/, 'XADD', 'orders', 'MINID', '=', '10', '*', 'a', 'b')
    await refused(/^ERR Local: Unknown topic$/, 'XADD', 'missing', '*', 'a', 'b')
    await refused(/^ERR Local: Invalid argument/, 'XADD', 'no topic', '*', 'a', 'b')
    await refused(/millrace topics/, 'XTRIM', 'orders', 'MAXLEN', '1')
    await refused(/millrace topics/, 'XDEL', 'orders', '0-1')
    await refused(/^ERR syntax error$/, 'XRANGE', 'orders', '-', '+', 'LIMIT', '1')
    await refused(/^ERR Unbalanced 'xread'/, 'XREAD', 'STREAMS', 'orders', 'more', '0')
    await refused(/XREADGROUP/, 'XREAD', 'STREAMS', 'orders', '>')
    assert.equal(
      await session.run('XADD', 'orders', 'MAXLEN', '~', '1', 'LIMIT', '5', '*', 'a', 'b'),
      '0-1',
    )
    assert.equal(await session.run('XADD', 'missing', 'NOMKSTREAM', '*', 'a', 'b'), null)
  })

  it('read on from ids, and wait for what comes', async () => {
    await using streams = await openStreams()
    await streams.createTopics({ orders: 1, events: 3 })
    const session = streams.connect()
    const writer = streams.connect()
    for (const n of ['1', '2', '3']) await writer.run('XADD', 'orders', '*', 'n', n)
    assert.deepEqual(await session.run('XREAD', 'COUNT', 2, 'STREAMS', 'orders', '0'), [
      [
        'orders',
        [
          ['0-1', ['n', '1']],
          ['0-2', ['n', '2']],
        ],
      ],
    ])
    assert.deepEqual(await session.run('XREAD', 'STREAMS', 'orders', '0-2'), [
      ['orders', [['0-3', ['n', '3']]]],
    ])
    assert.equal(await session.run('XREAD', 'STREAMS', 'orders', '0-3'), null)
    assert.equal(await session.run('XREAD', 'BLOCK', 20, 'STREAMS', 'orders', '0-3'), null)
    assert.equal(await session.run('XREAD', 'STREAMS', 'orders', '0-99'), null)
    await writer.run('XADD', 'orders', '*', 'n', '4')
    assert.deepEqual(await session.run('XREAD', 'STREAMS', 'orders@0', '0-3'), [
      ['orders@0', [['0-4', ['n', '4']]]],
    ])

    const blocked = session.run('XREAD', 'BLOCK', 0, 'STREAMS', 'orders', 'events', '0-4', '$')
    await until('the call blocks', () => streams.part.figures!()['streams_blocked_calls'] === 1)
    await writer.run('XADD', 'orders', '*', 'n', '5')
    assert.deepEqual(await blocked, [['orders', [['0-5', ['n', '5']]]]])
    const resp3 = streams.connect({ protocol: 3 })
    assert.deepEqual(await resp3.run('XREAD', 'STREAMS', 'orders', '0-4'), {
      orders: [['0-5', ['n', '5']]],
    })
    await assert.rejects(session.run('XREAD', 'STREAMS', 'events', '1-1'), /events@<partition>/)
    await assert.rejects(session.run('XREAD', 'STREAMS', 'orders@0', '1-1'), /of partition 1/)
  })

  it('see the end of a whole topic from the moment of the call', async () => {
    await using streams = await openStreams()
    await streams.createTopics({ events: 3 })
    const session = streams.connect()
    const writer = streams.connect()
    await writer.run('XADD', 'events@2', '*', 'n', 'before')
    assert.deepEqual(await session.run('XREAD', 'STREAMS', 'events', '0'), [
      ['events', [['2-1', ['n', 'before']]]],
    ])
    const blocked = session.run('XREAD', 'BLOCK', 5000, 'STREAMS', 'events', '$')
    await until('the call blocks', () => streams.part.figures!()['streams_blocked_calls'] === 1)
    await session.run('XLEN', 'events')
    // The end is fixed within the call, so entries are written until one is behind it.
    const done = new AbortController()
    void blocked.finally(() => done.abort())
    while (!done.signal.aborted) await writer.run('XADD', 'events@1', '*', 'n', 'after')
    const [[topic, entries]] = (await blocked) as [[string, [string, string[]][]]]
    assert.equal(topic, 'events')
    assert.ok(entries.every(([id, fields]) => id.startsWith('1-') && fields[1] === 'after'))
  })

  it('wait for a topic that is not there yet', async () => {
    await using streams = await openStreams()
    const session = streams.connect()
    const blocked = session.run('XREAD', 'BLOCK', 15_000, 'STREAMS', 'later', '$')
    await until('the call blocks', () => streams.part.figures!()['streams_blocked_calls'] === 1)
    await streams.createTopics({ later: 1 })
    await session.run('XADD', 'later', '*', 'n', '1')
    assert.deepEqual(await blocked, [['later', [['0-1', ['n', '1']]]]])
  })

  it('end with their connection', async () => {
    await using streams = await openStreams()
    await streams.createTopics({ orders: 1 })
    const session = streams.connect()
    const blocked = session.run('XREAD', 'BLOCK', 0, 'STREAMS', 'orders', '$')
    await until('the call blocks', () => streams.part.figures!()['streams_blocked_calls'] === 1)
    await session.close()
    assert.equal(await blocked, null)
    await until('nothing is open', () => streams.client.opened === 1)
  })

  it('show topics as keys, and only to those who may see them', async () => {
    await using streams = await openStreams()
    await streams.createTopics({ orders: 2, events: 1 })
    const all = streams.connect()
    assert.deepEqual(await all.run('SCAN', '0'), ['0', ['events', 'orders']])
    assert.deepEqual(await all.run('SCAN', '0', 'MATCH', 'o*', 'TYPE', 'stream'), ['0', ['orders']])
    assert.deepEqual(await all.run('SCAN', '0', 'TYPE', 'list'), ['0', []])
    assert.equal(await all.run('EXISTS', 'orders', 'orders@1', 'orders@2', 'missing', ''), 2)
    assert.equal(await all.run('TYPE', 'orders'), 'stream')
    assert.equal(await all.run('TYPE', 'missing'), 'none')

    const some = streams.connect({ may: (_right, { topic }) => topic === 'events' })
    assert.deepEqual(await some.run('SCAN', '0'), ['0', ['events']])
    assert.equal(await some.run('EXISTS', 'orders'), 0)
    assert.equal(await some.run('TYPE', 'orders'), 'none')
    for (const topic of ['orders', 'missing']) {
      const refusals = [
        some.run('XADD', topic, '*', 'a', 'b'),
        some.run('XLEN', topic),
        some.run('XRANGE', topic, '-', '+'),
        some.run('XREAD', 'STREAMS', topic, '0'),
        some.run('XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', topic, '>'),
        some.run('XGROUP', 'CREATE', topic, 'g', '$'),
        some.run('XACK', topic, 'g', '0-1'),
        some.run('XPENDING', topic, 'g'),
        some.run('XINFO', 'STREAM', topic),
        some.run('XINFO', 'GROUPS', topic),
        some.run('SUBSCRIBE', topic),
      ]
      for (const refusal of refusals) await assert.rejects(refusal, /^ReplyError: NOPERM/)
    }
  })

  it('tail topics for subscribers', async () => {
    await using streams = await openStreams()
    await streams.createTopics({ news: 2 })
    const session = streams.connect()
    await session.run('XADD', 'news', '*', '@value', 'before')
    assert.equal(await session.run('SUBSCRIBE', 'news', 'later'), undefined)
    assert.deepEqual(session.pushed, [
      ['subscribe', 'news', 1],
      ['subscribe', 'later', 2],
    ])
    await session.run('XADD', 'news', '*', '@value', 'one')
    await until('it is told', () => session.pushed.length === 3)
    await streams.createTopics({ later: 1 })
    await session.run('XADD', 'later', '*', '@value', 'two')
    await until('it is told', () => session.pushed.length === 4)
    assert.deepEqual(session.pushed.slice(2), [
      ['message', 'news', 'one'],
      ['message', 'later', 'two'],
    ])
    await session.run('UNSUBSCRIBE')
    assert.deepEqual(session.pushed.slice(4), [
      ['unsubscribe', 'news', 1],
      ['unsubscribe', 'later', 0],
    ])
    await until('no reader is open', () => streams.client.opened === 1)
  })
})
