import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Client, OutgoingMessage } from '../../client/index.ts'
import { failure } from '../../errors/index.ts'
import { manualClock } from '../../kit/index.ts'
import type { GatewayPart } from '../command.ts'
import type { GatewayCore } from '../gateway-core.ts'
import { Later, nullArray, ReplyError, type Reply } from '../reply.ts'
import type { Session } from '../session.ts'
import { gatewaySettings } from '../settings.ts'
import { openStreamsPart } from './open-streams-part.ts'

/** A cluster that answers nothing: every call fails as one that timed out. */
function openOnNothing(sent: OutgoingMessage[] = []): { part: GatewayPart; session: Session } {
  const fails = (): Promise<never> =>
    Promise.reject(failure('MR_CLIENT_TIMEOUT', { what: 'a call', timeoutMs: 1, reason: 'none' }))
  const admin = new Proxy({}, { get: () => fails })
  const client = {
    admin,
    metadata: { peek: () => undefined, topic: fails },
  } as unknown as Client
  const core: GatewayCore = {
    settings: gatewaySettings({}),
    clock: manualClock(),
    client,
    openClient: () => client,
    isDraining: false,
    sessions: new Map(),
  }
  const part = openStreamsPart(core, {
    commands: {},
    send(_session, message) {
      sent.push(message)
      const { topic, partition = 7 } = message
      if (topic === 'missing') return Promise.reject(new ReplyError('PROD Local: Unknown topic'))
      return Promise.resolve({ topic, partition, offset: sent.length - 1, timestamp: 0 })
    },
    failures: () => [],
    recordFailure: () => undefined,
  })
  const session: Session = {
    id: 1,
    address: '127.0.0.1:1',
    name: undefined,
    who: '127.0.0.1:1',
    protocol: 2,
    user: { name: 'tester', isKnown: true, may: () => true },
    lastCommandAtMs: 0,
    isDurable: false,
    wantsMeta: false,
    wantsNotify: false,
    signal: new AbortController().signal,
    send: () => undefined,
    push: () => undefined,
  }
  return { part, session }
}

async function run(
  { part, session }: { part: GatewayPart; session: Session },
  name: string,
  ...args: (string | Buffer | null)[]
): Promise<Reply> {
  const bytes = args.map((arg) => (typeof arg === 'string' ? Buffer.from(arg) : arg))
  const reply = await part.extensions![name]!(
    { name, spelled: Buffer.from(name), args: bytes },
    session,
  )
  return reply instanceof Later ? reply.reply : reply
}

describe('Streams commands', () => {
  it('refuse wrong arguments in the words of Redis', async () => {
    const on = openOnNothing()
    const cases: [command: string, text: string][] = [
      ['XADD', "ERR wrong number of arguments for 'xadd' command"],
      ['XADD a * b', "ERR wrong number of arguments for 'xadd' command"],
      ['XADD a * b c d', "ERR wrong number of arguments for 'xadd' command"],
      ['XADD a MAXLEN ~ x * b c', 'ERR value is not an integer or out of range'],
      ['XADD a x-1 b c', 'ERR Invalid stream ID specified as stream command argument'],
      ['XADD a LIMIT 5 * b c', 'ERR syntax error'],
      ['XADD a MAXLEN ~', "ERR wrong number of arguments for 'xadd' command"],
      ['XLEN', "ERR wrong number of arguments for 'xlen' command"],
      ['XLEN a b', "ERR wrong number of arguments for 'xlen' command"],
      ['XRANGE a -', "ERR wrong number of arguments for 'xrange' command"],
      ['XREVRANGE a +', "ERR wrong number of arguments for 'xrevrange' command"],
      ['XRANGE a x +', 'ERR Invalid stream ID specified as stream command argument'],
      ['XRANGE a - + COUNT', 'ERR syntax error'],
      ['XRANGE a - + COUNT x', 'ERR value is not an integer or out of range'],
      ['XRANGE a - + WHAT 1', 'ERR syntax error'],
      ['XREAD STREAMS a', "ERR wrong number of arguments for 'xread' command"],
      ['XREAD COUNT 1 STREAMS', 'ERR syntax error'],
      ['XREAD BLOCK -1 STREAMS a 0', 'ERR timeout is negative'],
      ['XREAD BLOCK x STREAMS a 0', 'ERR timeout is not an integer or out of range'],
      ['XREAD COUNT x STREAMS a 0', 'ERR value is not an integer or out of range'],
      ['XREAD a b c', 'ERR syntax error'],
      ['XREAD STREAMS a (1', 'ERR Invalid stream ID specified as stream command argument'],
      ['XREADGROUP GROUP g c STREAMS a', "ERR wrong number of arguments for 'xreadgroup' command"],
      ['XREADGROUP COUNT 1 BLOCK 1 STREAMS a >', 'ERR Missing GROUP option for XREADGROUP'],
      [
        'XREADGROUP GROUP g c STREAMS a b >',
        "ERR Unbalanced 'xreadgroup' list of streams: for each stream key an ID or '>' must be specified.",
      ],
      ['XREADGROUP GROUP g c WHAT a b', 'ERR syntax error'],
      ['XACK a g', "ERR wrong number of arguments for 'xack' command"],
      ['XACK a g x', 'ERR Invalid stream ID specified as stream command argument'],
      ['XPENDING a', "ERR wrong number of arguments for 'xpending' command"],
      ['XPENDING a g -', 'ERR syntax error'],
      ['XPENDING a g - + x', 'ERR value is not an integer or out of range'],
      ['XPENDING a g IDLE x - + 1', 'ERR value is not an integer or out of range'],
      ['XCLAIM a g c 0', "ERR wrong number of arguments for 'xclaim' command"],
      ['XCLAIM a g c x 0-1', 'ERR Invalid min-idle-time argument for XCLAIM'],
      ['XCLAIM a g c 0 x', 'ERR Invalid stream ID specified as stream command argument'],
      ['XCLAIM a g c 0 0-1 WHAT', "ERR Unrecognized XCLAIM option 'WHAT'"],
      ['XAUTOCLAIM a g c x 0', 'ERR Invalid min-idle-time argument for XAUTOCLAIM'],
      ['XAUTOCLAIM a g c 0 0 COUNT 0', 'ERR COUNT must be > 0'],
      ['XGROUP', "ERR wrong number of arguments for 'xgroup' command"],
      ['XGROUP what a', "ERR unknown subcommand 'what'. Try XGROUP HELP."],
      ['XGROUP DESTROY a', "ERR wrong number of arguments for 'xgroup|destroy' command"],
      ['XGROUP CREATE a g x', 'ERR Invalid stream ID specified as stream command argument'],
      ['XGROUP CREATE a g $ WHAT', 'ERR syntax error'],
      ['XINFO', "ERR wrong number of arguments for 'xinfo' command"],
      ['XINFO STREAM', "ERR wrong number of arguments for 'xinfo|stream' command"],
      ['EXISTS', "ERR wrong number of arguments for 'exists' command"],
      ['TYPE', "ERR wrong number of arguments for 'type' command"],
      ['SCAN x', 'ERR invalid cursor'],
      ['SCAN 0 COUNT 0', 'ERR syntax error'],
      ['SUBSCRIBE', "ERR wrong number of arguments for 'subscribe' command"],
    ]
    for (const [command, text] of cases) {
      const [name, ...args] = command.split(' ')
      const message = await run(on, name!, ...args).then(
        () => 'a reply',
        (error: Error) => error.message,
      )
      assert.equal(message, text, command)
    }
  })

  it('take options in any case of letters', async () => {
    const on = openOnNothing()
    assert.equal(await run(on, 'XADD', 'a', 'maxlen', '~', '5', 'limit', '3', '*', 'b', 'c'), '7-1')
    await assert.rejects(run(on, 'XREAD', 'count', '1', 'streams', 'a', '>'), /XREADGROUP/)
    await assert.rejects(run(on, 'XGROUP', 'create', 'a', 'g', 'x'), /Invalid stream ID/)
  })

  it('send what XADD says, and answer where it lies', async () => {
    const sent: OutgoingMessage[] = []
    const on = openOnNothing(sent)
    assert.equal(
      await run(on, 'XADD', 'a@3', '*', '@value', 'v', '@key', 'k', '@timestamp', '5'),
      '3-1',
    )
    assert.equal(await run(on, 'XADD', 'a', '*', '@partition', '4', '@tombstone', '1'), '4-2')
    assert.equal(await run(on, 'XADD', 'a', '*', 'n', '1'), '7-3')
    assert.deepEqual(
      sent.map(({ topic, partition, key, value, timestamp }) => [
        topic,
        partition,
        key?.toString() ?? null,
        value?.toString() ?? null,
        timestamp,
      ]),
      [
        ['a', 3, 'k', 'v', 5],
        ['a', 4, null, null, undefined],
        ['a', undefined, null, '{"n":"1"}', undefined],
      ],
    )
    await assert.rejects(
      run(on, 'XADD', 'a@1', '*', '@partition', '2', '@value', ''),
      /not that of/,
    )
    await assert.rejects(run(on, 'XADD', 'missing', '*', 'a', 'b'), {
      message: 'ERR Local: Unknown topic',
    })
  })

  it('send a token once', async () => {
    const sent: OutgoingMessage[] = []
    const on = openOnNothing(sent)
    const add = (topic: string): Promise<Reply> => run(on, 'XADD', topic, '*', '@id', 't', 'n', '1')
    assert.deepEqual(await Promise.all([add('a'), add('a'), add('b')]), ['7-1', '7-1', '7-2'])
    await assert.rejects(add('missing'))
    await assert.rejects(add('missing'))
    assert.equal(sent.length, 4, 'what failed is tried again')
  })

  it('end in a reply or a refusal, whatever they are given', async () => {
    const words = [
      'a',
      'a@1',
      'g',
      'c',
      '*',
      '-',
      '+',
      '$',
      '>',
      '0',
      '0-1',
      '(1-2',
      '@5',
      '5',
      '~',
      '@value',
      '@id',
      '@header:x',
      'GROUP',
      'STREAMS',
      'COUNT',
      'BLOCK',
      'CREATE',
      'STREAM',
      'GROUPS',
      'JUSTID',
      'IDLE',
      'MAXLEN',
      'NOACK',
      '',
    ]
    const argument = fc.oneof(
      fc.constantFrom(...words.map((word) => Buffer.from(word))),
      fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
      fc.constant(null),
    )
    const { part } = openOnNothing()
    // A subscription stays, and tries again for ever; blocking waits for a clock that stands still.
    const names = Object.keys(part.extensions!).filter((name) => name !== 'SUBSCRIBE')
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...names),
        fc.array(argument, { maxLength: 9 }),
        async (name, args) => {
          if (args.some((arg) => arg?.toString() === 'BLOCK')) return
          const on = openOnNothing()
          try {
            const reply = await run(on, name, ...args)
            assert.ok(reply !== undefined && typeof reply !== 'function')
          } catch (error) {
            assert.ok(error instanceof ReplyError, String(error))
          }
          assert.equal(on.part.figures!()['streams_blocked_calls'], 0)
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('stop waiting when the gateway stops', async () => {
    const on = openOnNothing()
    await on.part.stop!(0)
    assert.equal(await run(on, 'XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', 'a', '>'), nullArray)
  })
})
