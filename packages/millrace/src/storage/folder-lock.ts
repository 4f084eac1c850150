/**
 * A lock that dies with its owner. Node has no flock, and a pid file survives its process; a listening Unix
 * socket in the folder does neither. It also holds between containers that share the volume.
 *
 * Taking it: probe by connecting; nobody answers: move the dead socket aside, bind (which is atomic: it fails
 * when the path exists), then look that what is bound is still ours. On Windows a named pipe does the same.
 */
import { createHash, randomUUID } from 'node:crypto'
import { chmodSync, mkdtempSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { failure } from '../errors/index.ts'
import { systemCode, type FolderLock } from './file-system.ts'

const lockName = 'lock.sock'
/** `sun_path` holds 104 bytes on macOS and 108 on Linux. */
const longestSocketPath = 100
const probeTimeoutMs = 2000

interface Owner {
  readonly pid: number
  readonly nonce: string
  readonly facts: Readonly<Record<string, string | number>>
}

export async function lockFolder(folder: string): Promise<FolderLock> {
  const address = socketAddress(folder)
  const owner: { -readonly [K in keyof Owner]: Owner[K] } = {
    pid: process.pid,
    nonce: randomUUID(),
    facts: {},
  }
  try {
    for (let attempt = 0; attempt < 5; attempt++) {
      const before = address.file === undefined ? undefined : inodeOf(address.file)
      const holder = await probe(address.path)
      if (holder !== 'nobody') throw locked(folder, holder)
      if (address.file !== undefined && before !== undefined && !moveAside(address.file, before))
        continue
      const server = await bind(address.path, owner)
      if (!server) continue
      if (address.file !== undefined) chmodSync(address.file, 0o600)
      const seen = await probe(address.path)
      if (seen !== 'nobody' && seen?.nonce === owner.nonce) return held(server, address.file, owner)
      server.close()
    }
    throw locked(folder, undefined)
  } finally {
    address.forget()
  }
}

function held(
  server: Server,
  file: string | undefined,
  owner: { facts: Owner['facts'] },
): FolderLock {
  return {
    announce(facts) {
      owner.facts = { ...owner.facts, ...facts }
    },
    release: () =>
      new Promise((resolveClosed) => {
        // The path first: once the server is closed somebody else may own it.
        if (file !== undefined) rmSync(file, { force: true })
        server.close(() => resolveClosed())
      }),
  }
}

function locked(folder: string, holder: Owner | undefined): Error {
  const facts = Object.entries(holder?.facts ?? {})
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')
  return failure('MR_STORAGE_LOCKED', { folder, pid: holder?.pid, facts })
}

/** Where to bind, and the file that appears there. A long path goes through a short link that nobody needs afterwards. */
function socketAddress(folder: string): {
  readonly path: string
  readonly file: string | undefined
  forget(): void
} {
  const absolute = resolve(folder)
  if (process.platform === 'win32') {
    const name = createHash('sha256').update(absolute.toLowerCase()).digest('hex').slice(0, 32)
    return { path: `\\\\.\\pipe\\millrace-${name}`, file: undefined, forget: () => undefined }
  }
  const file = join(absolute, lockName)
  if (Buffer.byteLength(file) <= longestSocketPath)
    return { path: file, file, forget: () => undefined }
  const holder = mkdtempSync(join(tmpdir(), 'mr-'))
  symlinkSync(absolute, join(holder, 'd'))
  return {
    path: join(holder, 'd', lockName),
    file,
    forget: () => rmSync(holder, { recursive: true, force: true }),
  }
}

function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino
}

/** Moves a dead socket away. False when it was not the probed one: then a rival was faster, and gets its own back. */
function moveAside(file: string, inode: number): boolean {
  const aside = `${file}.${randomUUID()}`
  try {
    renameSync(file, aside)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return true
    throw error
  }
  if (inodeOf(aside) !== inode) {
    renameSync(aside, file)
    return false
  }
  rmSync(aside, { force: true })
  return true
}

function bind(path: string, owner: Owner): Promise<Server | undefined> {
  return new Promise((resolveBound, reject) => {
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy())
      socket.end(`${JSON.stringify(owner)}\n`)
    })
    server.once('error', (error) => {
      if (systemCode(error) === 'EADDRINUSE') resolveBound(undefined)
      else reject(error)
    })
    server.listen(path, () => {
      server.unref()
      resolveBound(server)
    })
  })
}

/** Who owns the socket: `nobody`, an owner, or undefined for one that does not tell. */
function probe(path: string): Promise<Owner | 'nobody' | undefined> {
  return new Promise((resolveProbe) => {
    let text = ''
    const socket = connect(path)
    socket.setEncoding('utf8')
    socket.setTimeout(probeTimeoutMs, () => {
      resolveProbe(undefined)
      socket.destroy()
    })
    socket.on('data', (part: string) => {
      if (text.length < 4096) text += part
    })
    socket.on('error', (error) => {
      const code = systemCode(error)
      resolveProbe(code === 'ENOENT' || code === 'ECONNREFUSED' ? 'nobody' : undefined)
    })
    socket.on('close', () => resolveProbe(parseOwner(text)))
  })
}

function parseOwner(text: string): Owner | undefined {
  try {
    const value = JSON.parse(text) as Partial<Owner>
    if (typeof value.pid !== 'number' || typeof value.nonce !== 'string') return undefined
    return { pid: value.pid, nonce: value.nonce, facts: value.facts ?? {} }
  } catch {
    return undefined // some other program listens there, or the owner died in the middle of its answer
  }
}
