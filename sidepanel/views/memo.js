import { Component, h } from "preact";

/**
 * A component that renders again only when one of its props is another object or value.
 *
 * @template P
 * @param {(props: P) => import("preact").ComponentChildren} render
 */
export function memo(render) {
  return class Memo extends Component {
    /** @param {Record<string, unknown>} next */
    shouldComponentUpdate(next) {
      /** @type {Record<string, unknown>} */
      const current = this.props;
      const names = Object.keys(next);
      return names.length !== Object.keys(current).length || names.some((name) => next[name] !== current[name]);
    }

    render() {
      return h(/** @type {import("preact").FunctionComponent<any>} */ (render), this.props);
    }
  };
}
