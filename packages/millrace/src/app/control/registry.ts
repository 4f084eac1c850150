/**
 * Which workers run in a data folder, and how to reach them: `workers/<name>.json`, one a worker.
 *
 * An entry is only a hint: a process that was killed leaves one behind, and its pid may be somebody else's by now. Who
 * answers on the socket is the worker; an entry whose socket nobody answers is taken away.
 */
import { createHash } from 'node:crypto'
import { chmod, lstat, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

import { failure } from '../../errors/index.ts'

export interface WorkerEntry {
  readonly name: string
  readonly pid: number
  readonly socket: string
  /** Under which it is registered. */
  readonly file: string
  /** The pid of the process that starts it again when it ends. */
  readonly parent?: number | undefined
}

const folderName = 'workers'
/** Unix keeps a socket's path in 104 bytes (macOS) or 108 (Linux). */
const longestSocketPath = 100

export interface Registration {
  readonly entry: WorkerEntry
  /** Publishes the entry: from now on others find the worker. */
  announce(): Promise<void>
  remove(): Promise<void>
}

let registrations = 0

/** Makes the folder, with the user's rights only, and finds a path for the socket. */
export async function register(
  dataFolder: string,
  { name, pid, parent }: Omit<WorkerEntry, 'socket' | 'file'>,
): Promise<Registration> {
  const folder = join(resolve(dataFolder), folderName)
  await privateFolder(folder)
  // A process may hold several one after the other, or at once: none may take away what is another's.
  const turn = registrations++ === 0 ? '' : `-${registrations}`
  const file = `${name.replaceAll(/[^A-Za-z0-9._-]/g, '-')}-${pid}${turn}`
  const entry: WorkerEntry = { name, pid, parent, file, socket: await socketPath(folder, file) }
  const path = join(folder, `${file}.json`)
  return {
    entry,
    async announce() {
      await writeFile(`${path}.new`, `${JSON.stringify(entry)}\n`, { mode: 0o600 })
      await rename(`${path}.new`, path)
    },
    remove: () => rm(path, { force: true }),
  }
}

async function socketPath(folder: string, file: string): Promise<string> {
  const digest = createHash('sha256').update(`${folder}/${file}`).digest('hex').slice(0, 24)
  if (process.platform === 'win32') return `\\\\.\\pipe\\millrace-${digest}`
  const beside = join(folder, `${file}.sock`)
  if (Buffer.byteLength(beside) <= longestSocketPath) return beside
  const short = join(tmpdir(), `millrace-${process.getuid?.() ?? 'user'}`)
  await privateFolder(short)
  return join(short, `${digest}.sock`)
}

/**
 * A folder that its user alone may enter. In the temporary folder of a machine somebody else may have made one of the
 * name before: that one is refused.
 */
async function privateFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 })
  if (process.platform === 'win32') return
  const found = await lstat(path)
  if (!found.isDirectory() || found.uid !== process.getuid?.())
    throw failure('MR_CONTROL_FOLDER', { path })
  if ((found.mode & 0o077) !== 0) await chmod(path, 0o700)
}

/** The entries of a data folder, by name; they may be stale. */
export async function registered(dataFolder: string): Promise<readonly WorkerEntry[]> {
  const folder = join(resolve(dataFolder), folderName)
  const names = await readdir(folder).catch(() => [])
  const entries: WorkerEntry[] = []
  for (const name of names.filter((one) => one.endsWith('.json'))) {
    const text = await readFile(join(folder, name), 'utf8').catch(() => '')
    const entry = parseEntry(text, name.slice(0, -'.json'.length))
    if (entry !== undefined) entries.push(entry)
  }
  return entries.toSorted((left, right) => compare(left.name, right.name) || left.pid - right.pid)
}

/** Of one that nobody answers for. */
export async function forget(dataFolder: string, { file, socket }: WorkerEntry): Promise<void> {
  await rm(join(resolve(dataFolder), folderName, `${file}.json`), { force: true })
  if (process.platform !== 'win32') await rm(socket, { force: true })
}

/** Undefined for a file that a crash cut short. */
function parseEntry(text: string, file: string): WorkerEntry | undefined {
  try {
    const { name, pid, socket, parent } = JSON.parse(text) as Partial<WorkerEntry>
    const isEntry =
      typeof name === 'string' && typeof pid === 'number' && typeof socket === 'string'
    return isEntry ? { name, pid, socket, parent, file } : undefined
  } catch {
    return undefined
  }
}

function compare(left: string, right: string): number {
  return left === right ? 0 : left < right ? -1 : 1
}
