import { styleText } from 'node:util';

export interface Paint {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
}

type Style = Parameters<typeof styleText>[0];

/** Styles for a terminal, or the text as it is when `on` is false. */
export function paint(on: boolean): Paint {
  const style = (name: Style) => (text: string) => (on ? styleText(name, text) : text);
  return { bold: style('bold'), dim: style('dim'), red: style('red'), green: style('green'), yellow: style('yellow') };
}
