/** Reads options of the form --name=value. `folder` is the folder of all files, `runner` Beam's option. */
export function readOptions() {
  const given = process.argv.slice(2).map((argument) => {
    const [, name, value] = argument.match(/^--(\w+)=(.+)$/) ?? [];
    if (name === undefined) throw new Error(`${argument}: expected --name=value`);
    return [name, value];
  });
  return { folder: new URL('work', import.meta.url).pathname, runner: 'direct', ...Object.fromEntries(given) };
}
