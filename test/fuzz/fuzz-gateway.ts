/**
 * Sends mutated commands to a gateway in this process, in pieces, and ends its side.
 *
 * Promises held: the process lives, no command ends in a defect, what comes back is whole replies of RESP and then the
 * end, a connection beside it is answered throughout, memory stays where it was.
 */
import { connect } from 'node:net'
import { events } from '../../packages/millrace/src/telemetry/index.ts'
import { dial, encode, replyEnd, startTestGateway } from '../harness/gateway.ts'

export interface GatewayFuzzReport {
  readonly seed: number
  readonly sent: number
  readonly replies: number
  /** Inputs that ended in a protocol error. */
  readonly refused: number
  /** Resident memory after a tenth, half way and at the end, in bytes. */
  readonly earlyRss: number
  readonly halfRss: number
  readonly lateRss: number
}

type Random = (below: number) => number

const lanes = 32
/** An input that is not over by then hangs. */
const patienceMs = 20_000

const topics = ['topics:fuzz', 'topics:fuzz:key', 'topics:none', 'topics::', 'topics:.', 'fuzz']
const names = ['g:a', 'g:b', ':', 'none', 'g:\r\n+OK', 'g:\u0000']
const jsons = [
  '{}',
  '{"a":',
  '[]',
  'null',
  '{"__proto__":{"a":1}}',
  '{"auto.offset.reset":"earliest"}',
]

const commands: readonly ((any: Random) => readonly (string | null)[])[] = [
  () => ['PING'],
  (any) => ['ECHO', text(any)],
  (any) => ['CLIENT', 'SETNAME', pick(any, names)],
  (any) => ['CLIENT', pick(any, ['ID', 'INFO', 'LIST', 'GETNAME', 'KILL', 'NONE\r\n']), text(any)],
  (any) => [
    'CLIENT',
    pick(any, ['DURABLE', 'META', 'NOTIFY', 'TRACKING']),
    pick(any, ['ON', 'OFF', '']),
  ],
  (any) => ['RPUSHX', pick(any, topics), text(any)],
  (any) => ['RPUSHX', pick(any, topics), null],
  (any) => ['DUMP', pick(any, ['0', '-1', '1', 'x', '1e400', '5\r\n'])],
  (any) => [
    'RPUSH',
    pick(any, ['acks', 'x\r\n']),
    pick(any, ['fuzz:0:1', 'fuzz:0', 'fuzz:x:0x', 'a\r\n:1']),
  ],
  (any) => ['KEYS', pick(any, ['topics:', 'x\r\n-y'])],
  (any) => [pick(any, ['HGETALL', 'DEL']), pick(any, ['stats', 'STATS', 'no\r\n'])],
  (any) => [
    'BLPOP',
    `${pick(any, topics)}:${pick(any, jsons)}`,
    pick(any, ['0', '-1', 'nan', '1e400', '0.001']),
  ],
  (any) => [
    'HELLO',
    pick(any, ['2', '3', '4', 'x']),
    pick(any, ['AUTH', 'SETNAME', '']),
    text(any),
  ],
  (any) => ['AUTH', text(any)],
  () => ['MONITOR'],
  (any) => ['INFO', text(any)],
  (any) => ['COMMAND', pick(any, ['DOCS', 'COUNT', '', 'x\r\n'])],
  (any) => [
    'XADD',
    pick(any, ['fuzz', 'fuzz@0', 'fuzz@x']),
    pick(any, ['*', '1-1', '\r\n']),
    'f',
    text(any),
  ],
  (any) => [
    'XRANGE',
    'fuzz',
    pick(any, ['-', '0', '(1-1', 'x']),
    '+',
    'COUNT',
    String(any(2) * 1e9),
  ],
  (any) => ['XREAD', 'COUNT', '1', 'STREAMS', 'fuzz', pick(any, ['0', '$', '1-1', 'x\r\n'])],
  (any) => ['XACK', 'fuzz', pick(any, names), '0-1', text(any)],
  (any) => ['XGROUP', 'CREATE', 'fuzz', pick(any, names), '$'],
  (any) => ['SUBSCRIBE', pick(any, ['fuzz', 'none', 'a\r\nb'])],
  (any) => ['SELECT', pick(any, ['0', '1', 'x'])],
  (any) => [text(any), text(any), text(any)],
  (any) => ['PUBLISH', pick(any, ['fuzz', 'none', '']), text(any)],
  (any) => ['BLMPOP', pick(any, ['0.01', '-1', 'x']), '1', pick(any, topics), 'LEFT', 'COUNT', '9'],
  (any) => ['LMPOP', pick(any, ['1', '0', '99999999999']), pick(any, topics), 'LEFT'],
  (any) =>
    [
      ['XREADGROUP', 'GROUP', pick(any, names), text(any), 'COUNT', '1', 'BLOCK'],
      [pick(any, ['1', '0', '-1']), 'STREAMS', 'fuzz', pick(any, ['>', '0', '1-1', 'x'])],
    ].flat(),
  (any) => ['XPENDING', 'fuzz', pick(any, names), '-', '+', pick(any, ['10', '-1', 'x'])],
  (any) => ['XCLAIM', 'fuzz', pick(any, names), text(any), '0', pick(any, ['0-1', 'x', ''])],
  (any) => ['XAUTOCLAIM', 'fuzz', pick(any, names), text(any), '0', '0', 'COUNT', '1'],
  (any) => ['XINFO', pick(any, ['STREAM', 'GROUPS', 'CONSUMERS', 'x\r\n']), 'fuzz', text(any)],
  (any) => ['SCAN', pick(any, ['0', 'x', '1']), 'MATCH', pick(any, ['*', '[', '\\', '***a'])],
  (any) => [
    pick(any, ['TYPE', 'EXISTS', 'XLEN', 'XTRIM', 'XDEL']),
    pick(any, ['fuzz', 'none\r\n']),
  ],
  () => ['RESET'],
  () => ['QUIT'],
]

/** @param options.seed - print it: it replays the run, up to the order in which connections are served */
export async function fuzzGateway({
  count,
  seed,
}: {
  readonly count: number
  readonly seed: number
}): Promise<GatewayFuzzReport> {
  const any = randomFrom(seed)
  const defects: unknown[] = []
  const stopWatching = events.gatewayDefect.subscribe(({ command, error }) =>
    defects.push({ command, error }),
  )
  await using gateway = await startTestGateway({ commandWithin: '5s' })
  await gateway.createTopic('fuzz', 2)
  const { port } = gateway.gateway
  const beside = await dial(port)
  let sent = 0
  let replies = 0
  let refused = 0
  let earlyRss = 0
  let halfRss = 0

  const lane = async (): Promise<void> => {
    while (sent < count) {
      sent++
      if (sent === Math.ceil(count / 10)) earlyRss = process.memoryUsage.rss()
      if (sent === Math.ceil(count / 2)) halfRss = process.memoryUsage.rss()
      if (sent % 500 === 0 && (await beside.command('PING')) !== '+PONG\r\n')
        throw new Error('the connection beside it is not answered')
      const input = mutated(any)
      const answer = await exchange(port, pieces(any, input))
      const seen = countReplies(answer, input)
      replies += seen
      if (
        /-(?:Expect|TooManyArg|Invalid bulk|LineTooLong)[^\n]*\n$/.test(answer.toString('latin1'))
      )
        refused++
      if (defects.length > 0) throw new Error(`a defect on ${show(input)}`, { cause: defects[0] })
    }
  }
  try {
    await Promise.all(Array.from({ length: lanes }, lane))
    const last = await dial(port)
    if ((await last.command('PING')) !== '+PONG\r\n')
      throw new Error('no new connection is answered')
    last.close()
  } finally {
    beside.close()
    stopWatching()
  }
  return { seed, sent, replies, refused, earlyRss, halfRss, lateRss: process.memoryUsage.rss() }
}

/** Writes the pieces one after the other, ends, and gives all that comes back. */
function exchange(port: number, parts: readonly Buffer[]): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    const timer = setTimeout(() => {
      socket.destroy()
      reject(new Error(`no end came after ${show(Buffer.concat(parts))}`))
    }, patienceMs)
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    // The gateway may reset what goes on writing after it has closed.
    socket.on('error', () => undefined)
    socket.on('end', () => socket.destroy())
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(Buffer.concat(chunks))
    })
    const write = (at: number): void => {
      const part = parts[at]
      if (part === undefined || socket.destroyed) socket.end()
      else socket.write(part, () => (at % 4 === 3 ? setImmediate(write, at + 1) : write(at + 1)))
    }
    write(0)
  })
}

function countReplies(answer: Buffer, input: Buffer): number {
  let count = 0
  for (let at = 0; at < answer.length; count++) {
    const end = replyEnd(answer, at)
    if (end === undefined)
      throw new Error(`${show(answer.subarray(at))} is no whole reply; sent was ${show(input)}`)
    at = end
  }
  return count
}

function mutated(any: Random): Buffer {
  const parts: Buffer[] = []
  for (let left = 1 + any(5); left > 0; left--) {
    const words = pick(any, commands)(any)
    parts.push(any(8) === 0 ? Buffer.from(`${words.join(' ')}\r\n`, 'latin1') : encode(words))
  }
  let bytes = Buffer.concat(parts)
  if (any(4) === 0) return bytes
  for (let left = 1 + any(3); left > 0 && bytes.length > 0; left--) {
    const at = any(bytes.length)
    const end = Math.min(bytes.length, at + 1 + any(8))
    const insert = pick(any, [
      () => Buffer.from([any(256)]),
      () =>
        Buffer.from(pick(any, ['\r\n', '\n', '*', '$', '$-1\r\n', '*-1\r\n', '*0\r\n', ':1\r\n'])),
      () => Buffer.from(pick(any, ['*65536\r\n', '$32768000\r\n', '*99999999999\r\n', '$-2\r\n'])),
      () => bytes.subarray(any(bytes.length)),
      () => Buffer.alloc(any(2000), any(256)),
      () => Buffer.alloc(0),
    ])()
    bytes = Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(any(2) ? at : end)])
  }
  return bytes
}

function pieces(any: Random, bytes: Buffer): readonly Buffer[] {
  if (any(2) === 0) return [bytes]
  const parts: Buffer[] = []
  for (let at = 0; at < bytes.length && parts.length < 16;) {
    const end = at + 1 + any(40)
    parts.push(bytes.subarray(at, end))
    at = end
  }
  return parts
}

function text(any: Random): string {
  return pick(any, ['', 'a', '\r\n', '\u0000', 'ä', '-ERR\r\n:1', 'x'.repeat(any(300)), '{}', '-1'])
}

function pick<Item>(any: Random, items: readonly Item[]): Item {
  return items[any(items.length)]!
}

function show(bytes: Buffer): string {
  return JSON.stringify(bytes.toString('latin1').slice(0, 2000))
}

/** xorshift32 */
function randomFrom(seed: number): Random {
  let state = seed | 0 || 1
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}
