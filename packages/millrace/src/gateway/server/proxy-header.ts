import { isIP, type Socket } from 'node:net'

const signature = Buffer.from([13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10])
const longestText = 107
const patienceMs = 5000

/**
 * Reads the PROXY header (versions 1 and 2 of HAProxy's specification) that a balancer writes in front of a connection,
 * and hands the socket on with what follows. Without a header it is closed: whoever says its own address must not be
 * believed unless the balancer did.
 *
 * @param then - takes the paused socket; the address of the client, or undefined when the balancer speaks for itself
 */
export function readProxyHeader(socket: Socket, then: (address: string | undefined) => void): void {
  let bytes: Buffer = Buffer.alloc(0)
  const timer = setTimeout(() => socket.destroy(), patienceMs)
  const onData = (chunk: Buffer): void => {
    bytes = Buffer.concat([bytes, chunk])
    const found = parse(bytes)
    if (found === 'more') return
    clearTimeout(timer)
    socket.off('data', onData)
    socket.pause()
    if (found === 'none') {
      socket.destroy()
      return
    }
    const rest = bytes.subarray(found.length)
    if (rest.length > 0) socket.unshift(rest)
    then(found.address)
  }
  socket.on('data', onData)
  socket.once('close', () => clearTimeout(timer))
}

type Found = 'more' | 'none' | { readonly address: string | undefined; readonly length: number }

export function parse(bytes: Buffer): Found {
  const isSecond = bytes.subarray(0, 12).equals(signature.subarray(0, Math.min(12, bytes.length)))
  return isSecond && bytes.length > 0 ? parseSecond(bytes) : parseFirst(bytes)
}

function parseFirst(bytes: Buffer): Found {
  const start = bytes.toString('latin1', 0, 6)
  if (!'PROXY '.startsWith(start)) return 'none'
  const end = bytes.subarray(0, longestText).indexOf('\r\n')
  if (end < 0) return bytes.length >= longestText ? 'none' : 'more'
  const [, family = '', source = '', , port = ''] = bytes.toString('latin1', 0, end).split(' ')
  const length = end + 2
  if (family === 'UNKNOWN') return { address: undefined, length }
  const version = family === 'TCP4' ? 4 : family === 'TCP6' ? 6 : undefined
  // What stands here is shown to others: no text but an address.
  if (version === undefined || isIP(source) !== version || !/^\d{1,5}$/.test(port)) return 'none'
  return { address: version === 6 ? `[${source}]:${port}` : `${source}:${port}`, length }
}

function parseSecond(bytes: Buffer): Found {
  if (bytes.length < 16) return 'more'
  const length = 16 + bytes.readUInt16BE(14)
  if (bytes.length < length) return 'more'
  const version = bytes[12]! >> 4
  if (version !== 2) return 'none'
  const isLocal = (bytes[12]! & 15) === 0
  const family = bytes[13]! >> 4
  if (isLocal || (family !== 1 && family !== 2)) return { address: undefined, length }
  if (family === 1) {
    if (length < 28) return 'none'
    return { address: `${bytes.subarray(16, 20).join('.')}:${bytes.readUInt16BE(24)}`, length }
  }
  if (length < 52) return 'none'
  const groups = Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(16 + at * 2).toString(16))
  return { address: `[${groups.join(':')}]:${bytes.readUInt16BE(48)}`, length }
}
