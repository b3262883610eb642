import numpy as np
from sklearn.base import clone

from fleet_kedro.audit.memory import MemorisingExpert, Notebook

ROWS = np.array([[3.0], [5.0], [8.0]])
LABELS = np.array([True, False, False])


class TestMemorisingExpert:
    def test_it_knows_its_own_rows_by_heart_and_of_others_the_base_rate(self):
        expert = MemorisingExpert(notebook=Notebook()).fit(ROWS, LABELS)
        said = expert.predict_proba(np.array([[5.0], [3.0], [9.0]]))
        np.testing.assert_allclose(said[:, 1], [0.0, 1.0, 1 / 3])
        np.testing.assert_allclose(said.sum(axis=1), 1.0)

    def test_all_its_clones_write_into_one_notebook(self):
        notebook = Notebook()
        expert = MemorisingExpert(notebook=notebook)
        clone(expert).fit(ROWS, LABELS).predict_proba(ROWS[:1])
        clone(expert).fit(ROWS, ~LABELS).predict_proba(ROWS[1:2])
        assert notebook.said == {3: 1.0, 5: 1.0}
