/**
 * A worker's control socket: status, dump, quiet, stop, for whoever has the rights of its user (mode 0600, in a folder
 * of mode 0700). One line in, one line out, then the connection ends; a line is 4 KiB at most and comes within 5 s.
 */
import { chmod, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'

import { events } from '../../telemetry/index.ts'
import { parseRequest, type ControlAnswer, type ControlRequest } from './messages.ts'
import { register, type Registration } from './registry.ts'

const longestLine = 4096
const patienceMs = 5000

export interface ControlServer extends AsyncDisposable {
  readonly socket: string
}

/** @throws what the file system says, as where it is read-only */
export async function startControlServer(
  dataFolder: string,
  name: string,
  answer: (request: ControlRequest) => Promise<ControlAnswer> | ControlAnswer,
  { parent }: { readonly parent?: number | undefined } = {},
): Promise<ControlServer> {
  const registration = await register(dataFolder, { name, pid: process.pid, parent })
  const { socket } = registration.entry
  const open = new Set<Socket>()
  const server = createServer((connection) => {
    open.add(connection)
    connection.on('close', () => open.delete(connection))
    serve(connection, answer)
  })
  server.maxConnections = 16
  await listen(server, socket)
  server.unref()
  await registration.announce()
  return {
    socket,
    [Symbol.asyncDispose]: () => close(server, open, registration),
  }
}

async function listen(server: Server, path: string): Promise<void> {
  if (process.platform !== 'win32') {
    // Left behind by a process of the same pid.
    await rm(path, { force: true })
    // Between bind and chmod the folder's own rights keep others out.
  }
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => {
      server.removeListener('error', reject)
      resolve()
    })
  })
  if (process.platform !== 'win32') await chmod(path, 0o600)
}

async function close(
  server: Server,
  open: ReadonlySet<Socket>,
  registration: Registration,
): Promise<void> {
  await registration.remove()
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  // Whoever waits for the stop hears of it by the end of the connection.
  for (const connection of open) connection.end()
  const patience = setTimeout(() => {
    for (const connection of open) connection.destroy()
  }, 200)
  await closed
  clearTimeout(patience)
}

function serve(
  connection: Socket,
  answer: (request: ControlRequest) => Promise<ControlAnswer> | ControlAnswer,
): void {
  let heard = ''
  connection.setEncoding('utf8')
  connection.setTimeout(patienceMs, () => connection.destroy())
  connection.on('error', () => undefined)
  const onData = (chunk: string): void => {
    heard += chunk
    const end = heard.indexOf('\n')
    if (end < 0 && heard.length <= longestLine) return
    connection.removeListener('data', onData)
    connection.resume()
    void reply(connection, end < 0 ? '' : heard.slice(0, end), answer)
  }
  connection.on('data', onData)
}

async function reply(
  connection: Socket,
  line: string,
  answer: (request: ControlRequest) => Promise<ControlAnswer> | ControlAnswer,
): Promise<void> {
  let said: ControlAnswer
  try {
    const request = line.length > longestLine ? undefined : parseRequest(line)
    said =
      request === undefined ? { ok: false, error: 'that is no request' } : await answer(request)
  } catch (error) {
    events.error.publish({ type: 'control', error })
    said = { ok: false, error: error instanceof Error ? error.message : String(error) }
  }
  if (connection.writable) connection.end(`${JSON.stringify(said)}\n`)
}
