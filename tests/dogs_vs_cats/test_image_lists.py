"""A CSV list of images with labels does what a folder of them does."""

import h5py


def test_a_build_takes_the_labels_of_the_list(workplace, write_config, call):
    images = sorted(path.stem for path in (workplace / "images").iterdir())
    breeds = {name: ("beagle", "tabby", "siamese")[number % 3] for number, name in enumerate(images)}
    lines = ["id,breed", *(f"{name},{breed}" for name, breed in breeds.items())]
    (workplace / "images.csv").write_text("\n".join(lines), "utf-8")
    config = write_config(workplace, {"NUM_VAL_IMAGES": 6, "NUM_TEST_IMAGES": 6})
    outcome = call("build_dogs_vs_cats", "-d", "images.csv", "-o", "new", "--config", config)
    assert outcome.code == 0, outcome.err
    found = {}
    for name in ("train", "val", "test"):
        with h5py.File(workplace / f"new/{name}.hdf5") as file:
            names = file["label_names"].asstr()[:]
            found |= dict(zip(file["paths"].asstr()[:].tolist(), names[file["labels"][:]].tolist(), strict=True))
    assert found == {f"images/{name}.jpg": breed for name, breed in breeds.items()}
