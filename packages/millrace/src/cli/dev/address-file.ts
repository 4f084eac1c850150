import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Where `millrace dev` of a folder says how to reach it, so that other commands there need no address. It lies in the
 * application's folder, wherever the data is, since that is where other commands look.
 */
interface AddressFile {
  readonly pid: number
  readonly broker: string
}

export const dataFolderName = '.millrace'
const fileName = 'dev.json'
/** On the machine itself: a broker that runs accepts at once. */
const knockMs = 1000

export async function writeAddressFile(folder: string, broker: string): Promise<void> {
  const content: AddressFile = { pid: process.pid, broker }
  await mkdir(join(folder, dataFolderName), { recursive: true })
  await writeFile(pathIn(folder), `${JSON.stringify(content)}\n`)
}

/** Only its own: another one may have started in the folder, with its data elsewhere. */
export async function removeAddressFile(folder: string): Promise<void> {
  const found = await readAddressFile(folder)
  if (found?.pid === process.pid) await rm(pathIn(folder), { force: true })
}

/** The broker address of a `millrace dev` that runs in this folder, or undefined. */
export async function findRunningDev(folder: string): Promise<string | undefined> {
  const found = await readAddressFile(folder)
  if (found === undefined || !isAlive(found.pid)) return undefined
  // The process may be somebody else's by now: after a crash pids are used again.
  return (await accepts(found.broker)) ? found.broker : undefined
}

function pathIn(folder: string): string {
  return join(folder, dataFolderName, fileName)
}

async function readAddressFile(folder: string): Promise<AddressFile | undefined> {
  const text = await readFile(pathIn(folder), 'utf8').catch(() => undefined)
  return text === undefined ? undefined : parseAddress(text)
}

/** Undefined for a file that a crash cut short: nobody runs here then. */
function parseAddress(text: string): AddressFile | undefined {
  try {
    const { pid, broker } = JSON.parse(text) as Partial<AddressFile>
    return typeof pid === 'number' && typeof broker === 'string' ? { pid, broker } : undefined
  } catch {
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function accepts(broker: string): Promise<boolean> {
  const [, host, port] = /^(.*):(\d{1,5})$/.exec(broker) ?? []
  if (host === undefined || Number(port) > 65_535) return false
  // Only here: most commands know their cluster without a knock.
  const { connect } = await import('node:net')
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port) })
    const end = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(knockMs, () => end(false))
    socket.on('connect', () => end(true))
    socket.on('error', () => end(false))
  })
}
