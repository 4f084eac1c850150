import { spawn } from 'node:child_process'

/** The package manager that called, by the agent that it names (`pnpm/10.0.0 node/v24...`). */
export function packageManager(agent: string | undefined): string {
  const name = /^(npm|pnpm|yarn|bun)\//.exec(agent ?? '')?.[1]
  return name ?? 'npm'
}

/** Runs `<manager> install` in sight of the user. @returns its exit code */
export function install(manager: string, folder: string): Promise<number> {
  return new Promise((resolve, reject) => {
    // npm is a script on Windows, which only a shell starts.
    const child = spawn(manager, ['install'], {
      cwd: folder,
      stdio: ['ignore', 'inherit', 'inherit'],
      shell: process.platform === 'win32',
    })
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? 1))
  })
}
